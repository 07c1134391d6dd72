"""What the operator's page shows of the last half hour, and what it counted before Redis began anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Sample = dict[str, Any]
"""The figures of one moment, as ``web/status/historian`` takes them; ``at`` is when, in seconds."""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """``limit_bytes`` is 0 where the memory has no limit."""

    version: str = ""
    used_bytes: int = 0
    limit_bytes: int = 0


class History(Protocol):
    """Every method raises ``BackendUnavailable``."""

    def add(self, sample: Mapping[str, Any], limit: int) -> None:
        """Keep the newest ``limit`` samples."""

    def samples(self) -> list[Sample]:
        """The oldest first."""

    def restore(self, samples: Sequence[Mapping[str, Any]]) -> None:
        """Put these in place of all."""

    def server(self) -> ServerFacts:
        """Version and memory of the server that keeps the live state."""


class HistoryFile(Protocol):
    """The samples on this machine's disk, for the next start. It may be lost: nothing but the page's past depends on it. Never raises."""

    def load(self) -> list[Sample]:
        """Empty where there is none, or it cannot be read."""

    def save(self, samples: Sequence[Mapping[str, Any]]) -> None:
        """Replace it in one step."""
