"""How long a read from a client may wait: one rule for a request's head and one for its body, which holds for writes too (``response_writer``).

Before every ``recv`` it says how long that may wait; after it, it gets the number of bytes. Only time spent waiting for the client counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from backend.server.connection_limits import ConnectionLimits

Clock = Callable[[], float]


class TooSlow(Exception):
    """The client's time is over."""


class ReadTimeout(Protocol):
    def wait_s(self) -> float:
        """How long the next ``recv`` may wait, more than 0. Raises ``TooSlow``."""

    def add_received(self, count: int, waited_s: float) -> None:
        """``count`` bytes came after a wait of ``waited_s``."""


class HeadTimeout:
    """``first_byte_s`` for the first byte, then ``head_s`` for the whole head, in however small pieces it comes."""

    def __init__(self, first_byte_s: float, head_s: float, begun: bool = False, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._head_s = head_s
        self._deadline = clock() + (head_s if begun else first_byte_s)
        self.has_begun = begun

    def wait_s(self) -> float:
        return _positive(self._deadline - self._clock())

    def add_received(self, count: int, waited_s: float) -> None:
        if not self.has_begun:
            self.has_begun = True
            self._deadline = self._clock() + self._head_s


class RateTimeout:
    """A leaky bucket of seconds: bytes fill it at the minimum rate, waiting drains it. It begins with ``begin_s`` and holds ``capacity_s``.

    A rate of 0 asks only that something comes.
    """

    def __init__(self, capacity_s: float, min_bytes_per_s: float, begin_s: float) -> None:
        self._capacity_s, self._min_bytes_per_s, self._left_s = capacity_s, min_bytes_per_s, begin_s

    def wait_s(self) -> float:
        return _positive(self._left_s)

    def add_received(self, count: int, waited_s: float) -> None:
        earned_s = count / self._min_bytes_per_s if self._min_bytes_per_s else count * self._capacity_s
        self._left_s = min(self._capacity_s, self._left_s - waited_s + earned_s)


class BodyTimeout(RateTimeout):
    """Of a request's body."""

    def __init__(self, limits: ConnectionLimits) -> None:
        super().__init__(max(limits.body_idle_timeout_s, limits.body_grace_s), limits.body_min_bytes_per_s, limits.body_grace_s)


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise TooSlow
    return seconds
