"""A small result in memory that the kernel seals, so that it is final before the child has ended.

A child may change a file that it has written until its process is gone, which takes milliseconds. Memory of memfd_create(2) can be sealed:
after F_SEAL_WRITE the kernel lets no process change it, and it refuses the seal while a process still could. Then the end is waited for.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator

from backend import errors
from backend.codec.result_file import write
from backend.core.conversion import Shape

MAX_PIXELS = 4 << 20
"""Of larger images, copying the result costs more than the wait."""
COPY_BYTES = 1 << 20
_SEALS = ("F_SEAL_WRITE", "F_SEAL_GROW", "F_SEAL_SHRINK", "F_SEAL_SEAL")


class ResultMemory:
    """``fd`` is for the child to write to."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def seal(self) -> bool:
        """Whether no process can change it any more. Refused where the child maps the memory, or has put seals on it itself."""
        with contextlib.suppress(OSError):
            fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, sum(getattr(fcntl, name) for name in _SEALS))
            return True
        return False

    def copy_to(self, file_fd: int) -> None:
        """Raises ``StorageFull``, ``BackendUnavailable``."""
        try:
            write(file_fd, self._parts())
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise errors.StorageFull(private=str(error)) from error
            raise errors.BackendUnavailable(part="store", retry_after_s=5, private=f"a result could not be copied: {error}") from error

    def _parts(self) -> Iterator[bytes]:
        at = 0
        while part := os.pread(self.fd, COPY_BYTES, at):
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
        return os.memfd_create("result", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except (AttributeError, OSError):
        return -1
