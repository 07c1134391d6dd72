"""What is known of each job: what was asked, how it ended, and which jobs came together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from backend.core.batch import Batch
from backend.core.index_line import IndexLine
from backend.core.job import Manifest, Status


@dataclass(frozen=True, slots=True)
class ListedJob:
    """A job as a listing shows it. ``line`` is None where the listing does not show that much; then the manifest has it."""

    id: str
    has_ended: bool
    line: IndexLine | None = None


@dataclass(frozen=True, slots=True)
class JobPage:
    """``next_place``: give it to the next call; None after the last page."""

    jobs: tuple[ListedJob, ...]
    next_place: str | None


@dataclass(frozen=True, slots=True)
class ManyRead:
    """``unread``: ids of jobs that may be there and could not be read this time. Jobs that are gone or damaged are in neither."""

    found: tuple[Manifest, ...]
    unread: tuple[str, ...] = ()


class JobRecords(Protocol):
    """What a method returned from is on disk."""

    def manifest(self, job_id: str) -> Manifest:
        """Raises ``NotFound``."""

    def job_page(self, place: str = "", limit: int = 500) -> JobPage:
        """The jobs after ``place``, '' for the first, in an order that stays. No record is read for it.

        At most ``limit`` jobs; there may be fewer, or none, before the last page. What is no place counts as one somewhere in the order.
        """

    def manifests(self, ids: Sequence[str]) -> ManyRead:
        """The manifests of these jobs. Raises ``BackendUnavailable`` when the whole store is out of reach."""

    def unfinished(self, ids: Sequence[str]) -> ManyRead:
        """As ``manifests``, without the jobs that have ended."""

    def outcome(self, job_id: str) -> Status | None:
        """How the job ended, or None while it has not."""

    def commit_outcome(self, job_id: str, status: Status, *, durable: bool = True) -> bool:
        """Record how the job ended, once: True for the first call, False when another outcome stands. Synced if ``durable``.

        Deletes all result files but the one of the outcome that stands. Raises ``NotFound`` when the job was erased, ``StorageFull``.
        """

    def erase(self, job_id: str, *, durable: bool = True) -> int:
        """Delete source, result and record; return the bytes freed. 0 when there was nothing.

        Without ``durable`` a power cut may bring the job back, until it expires.
        """

    def save_batch(self, batch: Batch) -> None:
        """Raises ``StorageFull``."""

    def batch(self, batch_id: str) -> Batch:
        """Raises ``NotFound``."""

    def erase_batch(self, batch_id: str) -> None:
        """Forget a batch. Its jobs stay. It may be gone already."""
