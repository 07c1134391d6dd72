"""The time of an exchange with another server: when it must have ended, and how much of the loop's time it takes until then.

A server that always has bytes ready never makes us wait, so no timer of gevent would get a turn. Each loop over another server's bytes therefore
calls ``check``; each wait goes through ``wait``. Nothing else holds the deadline, and nothing else is needed.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from backend.adapters.http.failures import Late

SLICE_S = 0.001
"""An exchange runs for so long before others have a turn. A request of somebody else's meets a handful of slices, far below 50 ms."""
TURN_S = 3 * SLICE_S
GLANCE_S = SLICE_S / 4
"""After a wait an exchange runs for so long without a turn: enough for what comes at once, also where many waits end at the same moment."""
PULSE_S = 0.25
SILENCE_S = 15.0
"""A wait for the other server's next bytes lasts no longer."""


class _Turns:
    """The exchanges of a process that never have to wait run one after the other, and together take a third of the loop's time at most."""

    def __init__(self) -> None:
        self._reserved_s = self._begun_s = 0.0

    def wait(self) -> None:
        """Others run meanwhile. After a delay several turns are due: the last check keeps them apart nevertheless."""
        due_s = max(time.monotonic(), self._reserved_s)
        self._reserved_s = due_s + TURN_S
        time.sleep(0)
        while (left_s := max(due_s, self._begun_s + TURN_S) - time.monotonic()) > 0:
            time.sleep(left_s)
        self._begun_s = time.monotonic()


_turns = _Turns()


class Deadline:
    """``at_s`` is of ``time.monotonic``. ``pulse`` is called again and again, every ``PULSE_S`` at least; what it raises ends the exchange."""

    def __init__(self, at_s: float, pulse: Callable[[], None] = lambda: None) -> None:
        self.at_s, self._pulse = at_s, pulse
        self._slice_ends_s = 0.0

    @classmethod
    def after(cls, seconds: float, pulse: Callable[[], None] = lambda: None) -> Deadline:
        return cls(time.monotonic() + seconds, pulse)

    def check(self) -> None:
        """Call it in every loop over another server's bytes. Raises ``Late``."""
        if time.monotonic() >= self._slice_ends_s:
            self._rest()

    def _rest(self) -> None:
        self._pulse()
        _turns.wait()
        self._begin_slice(SLICE_S)

    def _begin_slice(self, seconds: float) -> None:
        now = time.monotonic()
        if now >= self.at_s:
            raise Late("the deadline has passed")
        self._slice_ends_s = min(now + seconds, self.at_s)

    def wait(self, is_ready: Callable[[float], object], most_s: float = SILENCE_S) -> None:
        """Call ``is_ready(seconds)``, which may wait so long, until it is. Raises ``Late`` at the deadline, and after ``most_s``."""
        until_s = min(self.at_s, time.monotonic() + most_s)
        while (left_s := until_s - time.monotonic()) > 0:
            if is_ready(min(PULSE_S, left_s)):
                self._begin_slice(GLANCE_S)
                return
            self._pulse()
        raise Late("nothing came in time")

    def sleep_until(self, at_s: float) -> None:
        """Return at ``at_s``, or at the deadline."""
        while (left_s := min(at_s, self.at_s) - time.monotonic()) > 0:
            self._pulse()
            time.sleep(min(PULSE_S, left_s))
