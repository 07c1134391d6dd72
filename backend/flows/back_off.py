"""Back off: an encoder that the world fails waits before it takes another job."""

from __future__ import annotations

import random
import time

from backend.flows.encode import Turn


class BackOff:
    """Keeps an encoder that the world fails from running through the whole queue: it waits before its next job, longer each time."""

    WAITS_S = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0)

    def __init__(self) -> None:
        self._failures = 0

    def wait(self) -> None:
        if self._failures:
            time.sleep(self.WAITS_S[min(self._failures, len(self.WAITS_S) - 1)] * random.uniform(0.5, 1))

    def note(self, turn: Turn) -> None:
        if turn != "none":
            self._failures = self._failures + 1 if turn == "put off" else 0
