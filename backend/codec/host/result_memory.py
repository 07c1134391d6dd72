"""A small result on its way: written by the child into memory, which the kernel then holds fast, so that nobody waits for the child's end.

What a child has written to a file it may still change until it is gone, and a process takes milliseconds to go. Memory of memfd_create(2) can be
sealed: after F_SEAL_WRITE the kernel lets no holder change it, and it refuses while anybody still might. Then the file is waited for as ever.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator

from backend import errors
from backend.codec.webp_file import write
from backend.core.conversion import Shape

MOST_PIXELS = 4 << 20
"""Of larger images the copy of the result costs more than the wait."""
COPY_BYTES = 1 << 20
_HELD_FAST = ("F_SEAL_WRITE", "F_SEAL_GROW", "F_SEAL_SHRINK", "F_SEAL_SEAL")


class Draft:
    """``fd`` is the child's to write to. ``is_final`` once nobody can write to it any more."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.is_final = False

    def hold_fast(self) -> bool:
        """Whether it is final now. A child that maps the memory, or that has sealed it before, does not have its way: its end is waited for."""
        with contextlib.suppress(OSError):
            fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, sum(getattr(fcntl, name) for name in _HELD_FAST))
            self.is_final = True
        return self.is_final

    def copy_to(self, file_fd: int) -> None:
        """Raises ``StorageFull``, ``Internal``."""
        try:
            write(file_fd, self._pieces())
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise errors.StorageFull(private=str(error)) from error
            raise errors.Internal(private=f"a result could not be copied: {error}") from error

    def _pieces(self) -> Iterator[bytes]:
        at = 0
        while piece := os.pread(self.fd, COPY_BYTES, at):
            at += len(piece)
            yield piece


@contextlib.contextmanager
def draft_for(shape: Shape) -> Iterator[Draft | None]:
    """None where the image is large, or the kernel has no such memory."""
    fd = _memory() if shape.width * shape.height * shape.frames <= MOST_PIXELS else -1
    try:
        yield Draft(fd) if fd >= 0 else None
    finally:
        if fd >= 0:
            os.close(fd)


def _memory() -> int:
    try:
        return os.memfd_create("result", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except (AttributeError, OSError):
        return -1
