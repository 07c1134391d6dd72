"""The WebP file that a conversion leaves: written by the child, read back by whoever must know what it holds."""

from __future__ import annotations

import os
from collections.abc import Iterable

from backend.core.conversion import Shape
from backend.core.formats import BY_NAME
from backend.core.image_headers import ReadAt, read_shape
from backend.core.limits import Limits

_ANY = Limits(upload_bytes=1 << 40, pixels=1 << 40, frames=1 << 20)
"""The sides and frames of a result were limited before it was made."""


def write(result_fd: int, pieces: Iterable[bytes | memoryview]) -> int:
    """All pieces from the start of the file on; their bytes. Raises ``OSError``."""
    at = 0
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            count = os.pwrite(result_fd, rest, at)
            at, rest = at + count, rest[count:]
    return at


def shape_in(data: memoryview) -> Shape:
    return _shape(lambda at, length: bytes(data[at : at + length]), len(data))


def shape_of(result_fd: int) -> Shape | None:
    """None when the file is not exactly one WebP. Raises ``DamagedImage``."""
    size_bytes = os.fstat(result_fd).st_size
    head = os.pread(result_fd, 12, 0)
    if head[:4] != b"RIFF" or head[8:] != b"WEBP" or int.from_bytes(head[4:8], "little") + 8 != size_bytes:
        return None
    return _shape(lambda at, length: os.pread(result_fd, length, at), size_bytes)


def _shape(read_at: ReadAt, size_bytes: int) -> Shape:
    return read_shape(BY_NAME["webp"], read_at, size_bytes, _ANY)
