"""The leases of gateways on the jobs whose source they fetch from another server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from backend.core.job import Job


class FetchLeases(Protocol):
    """A job whose source is still to come waits outside the queue. Every method raises ``BackendUnavailable``."""

    def reserve(self, job: Job, token: str, lease_s: float, *, limit: int | None, share: int | None = None, begun: int = 0) -> Job:
        """Make a job known whose source is fetched under ``token``; a job that is known stays as it is. ``begun``: fetches that have begun.

        Raises ``QueueFull`` when ``limit`` jobs wait or are being fetched, and ``QuotaExceeded`` as ``JobQueue.enqueue``.
        """

    def begin(self, job_id: str, token: str, lease_s: float) -> bool | None:
        """Count that a fetch begins, and renew its lease. Answers as ``renew``."""

    def renew(self, job_id: str, token: str, percent: int, lease_s: float) -> bool | None:
        """Renew the lease and record the progress. False: cancelled, or fetched by another now. None: unknown here (the state was lost)."""

    def expired(self) -> list[str]:
        """The jobs whose lease has run out."""

    def take_over(self, job_id: str, token: str, lease_s: float) -> int | None:
        """Take over an expired lease; how often a fetch of the job has begun. None if another process was quicker."""

    def hand_back(self, job_id: str, token: str, most: int) -> None:
        """Let a lease expire at once. Its fetch counts no more, unless that came more than ``most`` times: the job is not to blame."""

    def pause(self, job_id: str, token: str, pauses_s: Sequence[float]) -> None:
        """Put off a fetch that this process cannot do now, as ``Leases.pause``. It counts no more: the job is not to blame."""

    def attach_source(self, job: Job) -> Job:
        """Queue a reserved job, now that its manifest has a source; the job with its position and estimate."""
