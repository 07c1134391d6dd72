"""What is counted: totals for the metrics, and requests in a time window for rate limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from backend.core.overview import Overview


class Counters(Protocol):
    """Every method raises ``BackendUnavailable``."""

    def add(self, amounts: Mapping[str, float]) -> None:
        """Add to ``Overview.totals``. What is counted of a job is added by the job's change itself, once (``core.tally``)."""

    def count_in_window(self, key: str, amount: int, window_s: int) -> tuple[int, int]:
        """Add to a counter that starts anew with each window: (the count, seconds until the window ends)."""

    def overview(self) -> Overview:
        """All counts at one moment. The cost does not depend on the number of jobs."""
