"""A file's bytes through a small window, with bounded work: what every header walker reads from."""

from __future__ import annotations

from collections.abc import Callable

from backend import errors

ReadAt = Callable[[int, int], bytes]
"""``read_at(offset, length)``: the bytes there, fewer at the end of the file."""
Sides = tuple[int, int, int]
"""Width and height in pixels, and the number of frames."""

MAX_STEPS = 25_000
"""Markers, chunks, blocks or boxes. An ordinary file needs a few a frame; at about 1 µs each, the longest walk stays under 50 ms."""
MAX_FETCHES = 1_000
"""Reads of the file. Each window that does not hold the next part costs one."""
WINDOW_BYTES = 4 << 10


class HeaderReader:
    """Methods raise ``DamagedImage`` for a read past the end, after ``MAX_FETCHES`` reads, and after ``MAX_STEPS`` steps."""

    def __init__(self, read_at: ReadAt, size_bytes: int) -> None:
        self._read_at = read_at
        self.size_bytes = size_bytes
        self.window_bytes = WINDOW_BYTES
        self._start = 0
        self._window = b""
        self._fetches = 0
        self._steps = 0

    def take(self, offset: int, length: int) -> bytes:
        start = offset - self._start
        if start < 0 or start + length > len(self._window):
            self._fetch(offset, length)
            start = 0
        part = self._window[start : start + length]
        if len(part) < length:
            raise errors.DamagedImage(private=f"the file ends at byte {self.size_bytes}, within its header")
        return part

    def window(self, offset: int) -> tuple[bytes, int]:
        """The bytes around ``offset``, and where in them it lies."""
        if not self._start <= offset < self._start + len(self._window):
            self._fetch(offset, 1)
        return self._window, offset - self._start

    def step(self) -> None:
        """To be called once for each part that is looked at."""
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise errors.DamagedImage(private=f"more than {MAX_STEPS} parts")

    def number(self, offset: int, length: int, order: str = "big") -> int:
        return int.from_bytes(self.take(offset, length), "little" if order == "little" else "big")

    def _fetch(self, offset: int, length: int) -> None:
        self._fetches += 1
        if self._fetches > MAX_FETCHES or not 0 <= offset <= self.size_bytes:
            raise errors.DamagedImage(private=f"a part at byte {offset} of {self.size_bytes}, fetch {self._fetches}")
        self._start, self._window = offset, self._read_at(offset, max(length, self.window_bytes))
