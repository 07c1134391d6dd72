"""The processes that take jobs from the queue."""

from __future__ import annotations

from typing import Protocol


class Encoders(Protocol):
    """Whoever takes jobs from the queue."""

    def wake(self, count: int = 1) -> None:
        """Say that so many jobs wait. Raises ``BackendUnavailable``."""


class Bell(Protocol):
    """Where an encoder that has nothing to do can be reached without a message. Every method raises ``BackendUnavailable``."""

    def rest(self, name: str, seconds: float) -> None:
        """From now on, and for so long, ``name`` may be rung, once. It waits for that with ``JobQueue.take_at_bell``."""

    def rise(self, name: str) -> int:
        """It is rung no more; how often it was since it last waited. Whoever was rung need not."""
