"""What one gateway process at a time does for all: its duty, and the rebuild of a lost state."""

from __future__ import annotations

from typing import Protocol


class Duties(Protocol):
    """Every method raises ``BackendUnavailable``."""

    def acquire(self, name: str, holder: str, seconds: float) -> bool:
        """Take or renew a duty for so many seconds. False while another process holds it."""

    def epoch(self) -> str | None:
        """Who rebuilt this state. None when the state is empty, or may be an older one: then it must be rebuilt."""

    def begin_epoch(self, name: str) -> None:
        """Record that ``name`` has rebuilt the state."""
