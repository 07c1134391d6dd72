"""How late the gevent loop runs: a greenlet asks to be woken every 100 ms and measures by how much it was late.

``current()`` is the largest recent delay; it halves every ten seconds. The buckets count every sample since the start.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from dataclasses import dataclass, field

import gevent

SAMPLE_S = 0.1
HALF_LIFE_S = 10.0
BUCKETS_MS = (1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 1000.0, float("inf"))


@dataclass
class LoopLag:
    """Delays in milliseconds. ``counts[i]`` samples were at most ``BUCKETS_MS[i]`` and above the bucket before."""

    worst_ms: float = 0.0
    sum_ms: float = 0.0
    counts: list[int] = field(default_factory=lambda: [0] * len(BUCKETS_MS))

    def add(self, delay_ms: float) -> None:
        self.worst_ms = max(delay_ms, self.worst_ms * 0.5 ** (SAMPLE_S / HALF_LIFE_S))
        self.sum_ms += delay_ms
        self.counts[bisect_left(BUCKETS_MS, delay_ms)] += 1


lag = LoopLag()
_sampler: gevent.Greenlet[[], None] | None = None


def start() -> None:
    """Begin sampling in this process, once."""
    global _sampler
    if _sampler is None:
        _sampler = gevent.spawn(_sample)


def current() -> float:
    """In milliseconds."""
    return lag.worst_ms


def _sample() -> None:
    while True:
        due = time.monotonic() + SAMPLE_S
        gevent.sleep(SAMPLE_S)
        lag.add(max(0.0, time.monotonic() - due) * 1000)
