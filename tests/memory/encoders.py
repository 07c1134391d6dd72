"""Encoders that count how often they were woken, or work at once (``on_wake``)."""

from __future__ import annotations

from collections.abc import Callable

from backend import errors


class MemoryEncoders:
    def __init__(self) -> None:
        self.woken = 0
        self.is_down = False
        self.on_wake: Callable[[], None] = lambda: None

    def wake(self, count: int = 1) -> None:
        if self.is_down:
            raise errors.BackendUnavailable(part="queue", retry_after_s=2, private="taken down by a test")
        self.woken += count
        for _ in range(count):
            self.on_wake()
