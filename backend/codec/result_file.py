"""The file that a conversion leaves: the child writes it, and the encoder process reads back what it holds."""

from __future__ import annotations

import os
from collections.abc import Iterable

from backend.core.conversion import Shape
from backend.core.formats import BY_NAME, SNIFF_BYTES, OutputFormat, sniff
from backend.core.image_headers import ReadAt, declared_bytes, read_shape
from backend.core.limits import Limits

_UNLIMITED = Limits(upload_bytes=1 << 40, pixels=1 << 40, frames=1 << 20)
"""The sides and frames of a result were limited before it was made."""


def write(result_fd: int, parts: Iterable[bytes | memoryview], start: int = 0) -> int:
    """Write all parts from ``start`` on, and return how many bytes they are. Raises ``OSError``."""
    at = start
    for part in parts:
        rest = memoryview(part)
        while rest:
            count = os.pwrite(result_fd, rest, at)
            at, rest = at + count, rest[count:]
    return at - start


def shape_in(data: memoryview, output: OutputFormat) -> Shape:
    return _shape(output.name, lambda at, length: bytes(data[at : at + length]), len(data))


def shape_of(result_fd: int, name: str) -> Shape | None:
    """None when the file is of another format than ``name``, or not as long as it says itself. Raises ``DamagedImage``."""
    size_bytes = os.fstat(result_fd).st_size

    def read_at(at: int, length: int) -> bytes:
        return os.pread(result_fd, length, at)

    found = sniff(read_at(0, SNIFF_BYTES))
    if found is None or found.name != name or declared_bytes(found, read_at, size_bytes) not in (None, size_bytes):
        return None
    return _shape(name, read_at, size_bytes)


def _shape(name: str, read_at: ReadAt, size_bytes: int) -> Shape:
    return read_shape(BY_NAME[name], read_at, size_bytes, _UNLIMITED)
