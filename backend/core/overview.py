"""All counts at one moment: jobs by state, encoders, what was done. Health, the operator's page and ``/metrics`` read it.

``totals`` only grow, by the names that ``tally`` gives out; ``recent`` are the same for the last minute and a little more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.core.job import STATES
from backend.core.tally import ENDED


@dataclass(frozen=True, slots=True)
class Overview:
    """``jobs``: by state; an ended job counts for as long as its record is kept. ``encoders``, ``gateways``: the facts of those that are there.

    ``conversion_s``: the mean of the newest twenty conversions; 0 before the first.
    """

    jobs: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(STATES, 0))
    oldest_queued_s: float = 0.0
    encoders: tuple[Mapping[str, Any], ...] = ()
    gateways: tuple[Mapping[str, Any], ...] = ()
    totals: Mapping[str, float] = field(default_factory=dict)
    recent: Mapping[str, float] = field(default_factory=dict)
    recent_s: float = 60.0
    conversion_s: float = 0.0
    webhooks_pending: int = 0

    @property
    def queued(self) -> int:
        return self.jobs["queued"]

    @property
    def running(self) -> int:
        return self.jobs["running"]

    @property
    def encoders_busy(self) -> int:
        return min(self.running, len(self.encoders))

    def per_minute(self, name: str) -> float:
        """How much of ``name`` (one of ``tally.PACED``) was done in the last minute."""
        return round(60 * self.recent.get(name, 0.0) / self.recent_s, 2)

    def seconds_for(self, jobs: int) -> float:
        """How many seconds so many jobs take; infinite where nothing is known.

        At the pace of the last minute, or at the one that all encoders can keep up, if that is quicker: a gateway may have been idle till now.
        """
        paces = [self.per_minute(ENDED) / 60, len(self.encoders) / self.conversion_s if self.conversion_s else 0.0]
        return jobs / max(paces) if any(paces) else math.inf
