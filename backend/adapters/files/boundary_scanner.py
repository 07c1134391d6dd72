"""The bytes of a growing file, read once: for the mark that may stand in them, and for whoever sums up those before it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from backend.core.delimiters import LINE_BREAK_BYTES, sure_bytes

SPAN_BYTES = 256 << 10


class Sieve:
    """``take`` gets, from ``begin_bytes`` on, what holds neither ``mark`` nor a line break before it, nor one in the end which it may follow.

    ``kept_bytes`` is how far that reaches. What ``take`` is given is overwritten by what comes next.
    """

    def __init__(self, fd: int, begin_bytes: int, mark: bytes, take: Callable[[memoryview], object]) -> None:
        self._fd, self._mark, self._take = fd, mark, take
        self._tail_bytes = len(mark) + LINE_BREAK_BYTES
        self._room = bytearray(self._tail_bytes + SPAN_BYTES)
        self._held_bytes = 0
        """What the mark may begin in, at the beginning of the room."""
        self._is_found = False
        self.kept_bytes = begin_bytes

    def go_on(self, end_bytes: int) -> bool:
        """The file is so long by now; whether there was anything new. Raises ``OSError``."""
        is_new = False
        while not self._is_found and (left := end_bytes - self.kept_bytes - self._held_bytes) > 0:
            is_new = True
            self._read(min(left, SPAN_BYTES))
        return is_new

    def end(self) -> int:
        """No more will come; ``kept_bytes``."""
        if not self._is_found:
            self._pass_on(sure_bytes(self._room, self._held_bytes, self._mark))
        return self.kept_bytes

    def _read(self, count: int) -> None:
        count = os.preadv(self._fd, [memoryview(self._room)[self._held_bytes :][:count]], self.kept_bytes + self._held_bytes)
        if not count:
            raise OSError(errno.EIO, "a file is shorter than what was written to it")
        size = self._held_bytes + count
        found = self._room.find(self._mark, 0, size)
        self._is_found = found >= 0
        sure = max(0, found - LINE_BREAK_BYTES if self._is_found else size - self._tail_bytes)
        self._pass_on(sure)
        self._held_bytes = size - sure
        if sure:
            self._room[: self._held_bytes] = self._room[sure:size]

    def _pass_on(self, count: int) -> None:
        self._take(memoryview(self._room)[:count])
        self.kept_bytes += count
