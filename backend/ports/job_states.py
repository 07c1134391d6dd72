"""Where each job stands, and its log of changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from backend.core.job import Job, Status


class JobStates(Protocol):
    """The live state of jobs. It may be lost at any moment; the store rebuilds it. Every method raises ``BackendUnavailable``."""

    def find(self, job_id: str) -> Job | None: ...

    def unknown(self, ids: Sequence[str]) -> list[str]:
        """Those of the ids that are not known here, in their order."""

    def changes_since(self, job_id: str, seq: int) -> list[Status] | None:
        """The changes after ``seq``, in order. None when the log does not reach back that far.

        A job has a log once a change of it was announced to a subscriber, and for a minute after its end.
        """

    def end(self, job: Job) -> Job:
        """Record ``job.status``, which has ended; the job as recorded, with its ``seq``. An earlier end stands."""

    def end_alone(self, job: Job) -> Job | None:
        """As ``end``. None, and nothing changes, where the job has followers, or is ephemeral and unknown."""

    def restore(self, job: Job, margin: int) -> Job:
        """Make an ended job known again, as the store has it, unless it is known; the job as it is known then.

        A job that ended leaves the live state ten minutes later, and has the same ``seq`` when it is known again. Where the state was lost,
        ``margin`` is added to it.
        """

    def forget(self, job_id: str) -> None:
        """Delete everything that is known of a job, and announce that."""

    def followers(self, job_id: str) -> list[Job]:
        """The running jobs that wait for this job's result, since their work is the same."""

    def completed_duplicates(self, work: str) -> list[str]:
        """The ids of up to eight jobs that succeeded with this ``work``, newest first."""
