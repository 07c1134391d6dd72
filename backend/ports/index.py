"""When each job expires, and in whose list it appears."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from backend.core.index_line import IndexLine
from backend.core.job import Job, State


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One line of a list. ``job`` is None where the live state does not know the job. It may know all the same how the job ended: ``state``."""

    id: str
    created_at: float
    job: Job | None
    state: State | None = None


class JobIndex(Protocol):
    """Every method raises ``BackendUnavailable``."""

    def add(self, lines: Sequence[IndexLine]) -> None:
        """Index stored jobs. A job that is queued, reserved or restored is indexed already."""

    def missing(self, ids: Sequence[str]) -> set[str]:
        """Those of the ids that are not indexed, or lack a part of that."""

    def expired(self, now: float, limit: int) -> list[str]:
        """The ids of up to ``limit`` jobs that are due to be erased, the oldest first."""

    def entries(self, maker: str, before: tuple[float, str] | None, limit: int) -> list[ListEntry]:
        """A maker's jobs, newest first, from after ``before`` (created_at, id) on. Some may have been erased meanwhile."""
