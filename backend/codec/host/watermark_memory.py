"""A watermark's file for a child: memory that the kernel seals, so that no child can change what it was given."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator

from backend.core.watermark import Watermark

_SEALS = ("F_SEAL_WRITE", "F_SEAL_GROW", "F_SEAL_SHRINK", "F_SEAL_SEAL")


@contextlib.contextmanager
def open_watermark_memory(watermark: Watermark | None) -> Iterator[list[int]]:
    """Its descriptor; none without a watermark. Raises ``OSError``."""
    if watermark is None:
        yield []
        return
    fd = _filled(watermark.png)
    try:
        yield [fd]
    finally:
        os.close(fd)


def _filled(data: bytes) -> int:
    """A temporary file without a name where the kernel has no such memory: it is open for reading alone."""
    try:
        fd = os.memfd_create("watermark", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except (AttributeError, OSError):
        return _file(data)
    try:
        with open(fd, "wb", closefd=False) as memory:
            memory.write(data)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, sum(getattr(fcntl, name) for name in _SEALS))
    except BaseException:
        os.close(fd)
        raise
    return fd


def _file(data: bytes) -> int:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        return os.open(file.name, os.O_RDONLY | os.O_CLOEXEC)
