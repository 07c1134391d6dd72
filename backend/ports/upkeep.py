"""What the Janitor keeps in the live state: how far its scan of the store is, what it says of itself, and what it finds astray."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from backend.core.scan import Scan


@dataclass(frozen=True, slots=True)
class Signs:
    """What shows that keys were lost. ``waiting`` and ``queued`` are equal unless one of their keys was; the others only grow, or shrink slowly."""

    evicted: int = 0
    waiting: int = 0
    queued: int = 0
    indexed: int = 0
    listed: int = 0
    serial: int = 0


@dataclass(frozen=True, slots=True)
class Notes:
    """What the Janitor wrote down. ``rounds``: by kind of round, how many seconds ago one succeeded, and the part that failed since, or ''."""

    rounds: dict[str, tuple[float, str]] = field(default_factory=dict)
    scan: Scan | None = None


class Upkeep(Protocol):
    """Every method raises ``BackendUnavailable``."""

    def want_scan(self, why: str, after_s: float) -> None:
        """Ask for a scan that begins after so many seconds. One that is asked for already stays."""

    def wanted_scan(self) -> str:
        """Why a scan is asked for that is due; '' when none is."""

    def scan(self) -> Scan | None:
        """The scan under way; None when there is none, or it belongs to a state that was lost."""

    def begin_scan(self, scan: Scan, duty: str, holder: str) -> bool:
        """Put it in the place of any other. What was asked for is done by it. False when another process holds the duty."""

    def save_scan(self, scan: Scan, duty: str, holder: str) -> bool:
        """False when another process holds the duty, or the scan under way is another, or the state was lost."""

    def end_scan(self, scan: Scan, duty: str, holder: str) -> bool:
        """As ``save_scan``, for a scan that is complete: in the same step ``Duties.epoch`` begins."""

    def note(self, kind: str, trouble: str = "") -> None:
        """Write down that a round of this kind succeeded, or which part failed."""

    def notes(self) -> Notes:
        """What was written down last, by whichever process."""

    def signs(self, serial: int = 0) -> Signs:
        """A look at the keys. The number that orders jobs is raised to ``serial`` where it is less: then its key was lost."""

    def strays(self, cursor: int) -> tuple[int, list[tuple[float, str]]]:
        """Look at some of the known jobs: when those were made, and their ids, that should be in the queue or have a lease and do not.

        0 begins and ends; what is returned goes into the next call.
        """

    def mend(self, ids: Sequence[str]) -> int:
        """Put these into the queue, or give them a lease, unless they have that; how many had not."""

    def lost(self) -> list[str]:
        """Ids that the queue, its waiting jobs or a lease names, or that were to be given out, and that are unknown; at most some thousands.

        Those that were to be given out are returned once.
        """
