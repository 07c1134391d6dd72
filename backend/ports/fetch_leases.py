"""The leases of gateways on the jobs whose source they fetch from another server."""

from __future__ import annotations

from typing import Protocol

from backend.core.job import Job


class FetchLeases(Protocol):
    """A job whose source is still to come waits outside the queue. Every method raises ``BackendUnavailable``."""

    def reserve(self, job: Job, token: str, lease_s: float, *, limit: int | None, share: int | None = None) -> Job:
        """Make a job known whose source is fetched under ``token``; a job that is known stays as it is.

        Raises ``QueueFull`` when ``limit`` jobs wait or are being fetched, and ``QuotaExceeded`` as ``JobQueue.enqueue``.
        """

    def renew(self, job_id: str, token: str, percent: int, lease_s: float) -> bool | None:
        """Renew the lease and record the progress. False: cancelled, or fetched by another now. None: unknown here (the state was lost)."""

    def expired(self) -> list[str]:
        """The jobs whose lease has run out."""

    def take_over(self, job_id: str, token: str, lease_s: float) -> bool:
        """Take over an expired lease. False if another process was quicker."""

    def attach_source(self, job: Job) -> Job:
        """Queue a reserved job, now that its manifest has a source; the job with its position and estimate."""
