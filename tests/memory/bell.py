"""A bell whose strokes are known beforehand; it notes what was done with it."""

from __future__ import annotations

from backend import errors


class MemoryBell:
    def __init__(self) -> None:
        self.events: list[str] = []
        self.unanswered = 0
        self.is_down = False

    def rest(self, name: str, seconds: float) -> None:
        self.note("rest")

    def rise(self, name: str) -> int:
        self.note("rise")
        unanswered, self.unanswered = self.unanswered, 0
        return unanswered

    def note(self, event: str) -> None:
        if self.is_down:
            raise errors.BackendUnavailable(part="redis", retry_after_s=2, private="taken down by a test")
        self.events.append(event)
