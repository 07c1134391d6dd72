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
    """Without a first ``adjust`` it is the machine's own."""

    def __init__(self, own: Clock = time.time) -> None:
        self._own, self._ahead_s = own, 0.0

    def __call__(self) -> float:
        return self._own() + self._ahead_s

    def adjust(self, shared_s: float, took_s: float) -> None:
        """``shared_s`` was the time at the live state during a call that ended just now and took so long. A slow one tells too little."""
        ahead_s = shared_s - (self._own() - took_s / 2)
        if took_s <= 2 * TOLERANCE_S and abs(ahead_s - self._ahead_s) > TOLERANCE_S:
            self._ahead_s = ahead_s if abs(ahead_s) > TOLERANCE_S else 0.0
