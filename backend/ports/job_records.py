"""What is known of each job: what was asked, how it ended, and which jobs came together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from backend.core.batch import Batch
from backend.core.job import Manifest, Status


class JobRecords(Protocol):
    """What a method returned from is on disk."""

    def manifest(self, job_id: str) -> Manifest:
        """Raises ``NotFound``."""

    def manifests(self) -> Iterator[Manifest]:
        """Of every job, in no order."""

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
