"""The uploaded file as decoders see it: read-only, without a name or a descriptor, and counting how far it has been read."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BUFFER_BYTES = 64 << 10


class Source(io.RawIOBase):
    """``on_read`` is called with the share of the file (0–1) up to the last byte read; it may be exchanged at any time.

    The position is kept here and not in the descriptor, which another process shares.
    """

    def __init__(self, fd: int, begin: int = 0, size_bytes: int | None = None) -> None:
        """A part of the file, where ``size_bytes`` is given: a sealed process may not ask for it."""
        self._fd, self._begin, self._at = fd, begin, 0
        self.size_bytes = os.fstat(fd).st_size if size_bytes is None else size_bytes
        self.on_read: Callable[[float], None] | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = max(0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size_bytes}[whence])
        return self._at

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")[: max(0, self.size_bytes - self._at)]
        count = os.preadv(self._fd, [view], self._begin + self._at) if view else 0
        self._at += count
        self.report(self._at)
        return count

    def read_at(self, offset: int, length: int) -> bytes:
        """Fewer bytes at the end of the file. Neither moves the position nor counts as progress; ``report`` does."""
        return os.pread(self._fd, max(0, min(length, self.size_bytes - offset)), self._begin + offset)

    def report(self, at: int) -> None:
        """Call ``on_read``: what lies before ``at`` is read."""
        if self.on_read:
            self.on_read(min(1.0, at / max(1, self.size_bytes)))

    def part(self, begin: int, size_bytes: int) -> Source:
        """These bytes as a file of its own."""
        return Source(self._fd, self._begin + begin, max(0, min(size_bytes, self.size_bytes - begin)))

    def buffered(self) -> io.BufferedReader:
        return io.BufferedReader(self, BUFFER_BYTES)
