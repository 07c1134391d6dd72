"""Which encoder processes are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Presence(Protocol):
    """Every method raises ``BackendUnavailable``."""

    def heartbeat(self, encoder: str, facts: Mapping[str, Any], seconds: float) -> None:
        """An encoder says that it is there, for so many seconds. ``facts``: ``pid``, ``host``, ``seal``, ``versions``, ``resident_bytes``."""

    def encoders(self) -> list[dict[str, Any]]:
        """The facts of the encoders that are there."""
