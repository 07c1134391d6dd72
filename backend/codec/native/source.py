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

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._at = 0
        self.size_bytes = os.fstat(fd).st_size
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
        count = os.preadv(self._fd, [buffer], self._at)
        self._at += count
        if self.on_read:
            self.on_read(min(1.0, self._at / max(1, self.size_bytes)))
        return count

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes there, fewer at the end of the file. The position and ``on_read`` know nothing of it."""
        buffer = bytearray(length)
        return bytes(buffer[: os.preadv(self._fd, [buffer], offset)])

    def buffered(self) -> io.BufferedReader:
        return io.BufferedReader(self, BUFFER_BYTES)
