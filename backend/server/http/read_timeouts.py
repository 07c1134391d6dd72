"""How long a connection may keep its reader waiting: a rule each for a head and for a body.

A pace is asked before every ``recv`` and told after it. It measures waiting alone: time in which nobody reads is not the peer's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from backend.server.connection_limits import Bounds

Clock = Callable[[], float]


class TooSlow(Exception):
    """The peer let its time run out."""


class Pace(Protocol):
    def wait_s(self) -> float:
        """How long the next ``recv`` may wait (> 0), or ``TooSlow``."""

    def received(self, count: int, waited_s: float) -> None:
        """``count`` bytes came after ``waited_s``."""


class HeadPace:
    """A patience for the first byte, then one deadline for the whole head, however it drips."""

    def __init__(self, patience_s: float, head_s: float, begun: bool = False, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._head_s = head_s
        self._deadline = clock() + (head_s if begun else patience_s)
        self.has_begun = begun

    def wait_s(self) -> float:
        return _positive(self._deadline - self._clock())

    def received(self, count: int, waited_s: float) -> None:
        if not self.has_begun:
            self.has_begun = True
            self._deadline = self._clock() + self._head_s


class BodyPace:
    """A leaky bucket of seconds: bytes fill it at the minimum rate, waiting drains it, the idle timeout is its brim."""

    def __init__(self, bounds: Bounds) -> None:
        self._brim_s = max(bounds.body_idle_timeout_s, bounds.body_grace_s)
        self._rate = bounds.body_min_bytes_per_s
        self._left_s = bounds.body_grace_s

    def wait_s(self) -> float:
        return _positive(self._left_s)

    def received(self, count: int, waited_s: float) -> None:
        self._left_s = min(self._brim_s, self._left_s - waited_s + count / self._rate)


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise TooSlow
    return seconds
