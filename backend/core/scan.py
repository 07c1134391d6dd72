"""A scan of the store: the Janitor looks at each job, a page at a time, and makes known to Redis what it does not know."""

from __future__ import annotations

from dataclasses import dataclass

EMPTY, OUTAGE, EVICTED, SHRUNK, ROUTINE = "empty", "outage", "evicted", "shrunk", "routine"
"""Why a store is scanned: Redis began empty, was out of reach, evicted keys, lost most of the index, or it is time."""


@dataclass(frozen=True, slots=True)
class Scan:
    """How far a scan is. ``place`` is the store's (``JobRecords.job_page``). ``unread``: jobs that could not be read. Times in s since the epoch."""

    id: str
    why: str
    began_at: float
    place: str = ""
    jobs: int = 0
    queued: int = 0
    unread: int = 0

    @property
    def is_thorough(self) -> bool:
        """Whether the lines of jobs that the index has are written again too: what is beside them may be lost."""
        return self.why != ROUTINE
