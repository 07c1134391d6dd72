"""How often a peer does something within a window of time."""

from __future__ import annotations

import time


class WindowRate:
    """At most ``most`` within ``window_s``. A window begins with the first one after the last window's end."""

    __slots__ = ("_began_s", "_count", "_most", "_window_s")

    def __init__(self, most: int, window_s: float) -> None:
        self._count, self._began_s, self._most, self._window_s = 0, time.monotonic(), most, window_s

    def is_exceeded_by_one_more(self) -> bool:
        now = time.monotonic()
        if now - self._began_s >= self._window_s:
            self._count, self._began_s = 0, now
        self._count += 1
        return self._count > self._most
