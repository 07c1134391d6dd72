"""A small result in memory of memfd_create(2): the child writes it, and the encoder process copies it out as soon as the child says that it is done.

A child may change a file that it has written until its process is gone, which takes milliseconds. The copy is out of its reach, and the copy is
what is looked at and kept. Then the child's end is waited for by nobody.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator

from backend import errors
from backend.codec.result_file import write
from backend.core.conversion import Shape

MAX_PIXELS = 4 << 20
"""Of larger images, copying the result costs more than the wait."""
COPY_BYTES = 1 << 20


class ResultMemory:
    """``fd`` is for the child to write to."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def copy_to(self, file_fd: int, size_bytes: int) -> None:
        """The first ``size_bytes``, or as many as there are. Raises ``StorageFull``, ``BackendUnavailable``."""
        try:
            write(file_fd, self._parts(size_bytes))
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise errors.StorageFull(private=str(error)) from error
            raise errors.BackendUnavailable(part="store", retry_after_s=5, private=f"a result could not be copied: {error}") from error

    def _parts(self, size_bytes: int) -> Iterator[bytes]:
        at = 0
        while at < size_bytes and (part := os.pread(self.fd, min(COPY_BYTES, size_bytes - at), at)):
            at += len(part)
            yield part


@contextlib.contextmanager
def open_result_memory(shape: Shape) -> Iterator[ResultMemory | None]:
    """None where the image is large, or the kernel has no such memory."""
    fd = _memfd() if shape.width * shape.height * shape.frames <= MAX_PIXELS else -1
    try:
        yield ResultMemory(fd) if fd >= 0 else None
    finally:
        if fd >= 0:
            os.close(fd)


def _memfd() -> int:
    try:
        return os.memfd_create("result", os.MFD_CLOEXEC)
    except (AttributeError, OSError):
        return -1
