"""The clock that all hosts of a deployment share: this machine's, corrected by the live state's where the two differ.

Records tell times that other hosts compare with theirs: when a job was made, expires, began and ended. By its own clock, a host that is a day
ahead would erase everybody's jobs.
"""

from __future__ import annotations

import time

from backend.ports.clock import Clock

TOLERANCE_S = 0.1
"""A smaller difference is left alone, so that intervals are not measured with the jitter of the network."""


class SharedClock:
    """Begins at the machine's own time, and goes on by what passes: whoever sets that anew in between, forward by a day, moves nothing here.

    ``passing``: seconds that never go back, from any start (``time.monotonic``).
    """

    def __init__(self, own: Clock = time.time, passing: Clock = time.monotonic) -> None:
        self._passing = passing
        self._start_s = own() - passing()

    def __call__(self) -> float:
        return self._start_s + self._passing()

    def adjust(self, shared_s: float, took_s: float) -> None:
        """``shared_s`` was the time at the live state during a call that ended just now and took so long. A slow one tells too little."""
        ahead_s = shared_s - (self() - took_s / 2)
        if took_s <= 2 * TOLERANCE_S and abs(ahead_s) > TOLERANCE_S:
            self._start_s += ahead_s
