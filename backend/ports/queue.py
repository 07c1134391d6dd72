"""The jobs that wait for an encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from backend.core.job import Job


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that one encoder holds, for as long as ``token`` is the job's newest token.

    ``duplicates``: what ``JobStates.completed_duplicates`` returned at the moment the job was taken. ``listeners``: how many watched it then.
    ``waiting``: how many jobs were left in the queue, and ``encoders``: how many there were to take them.
    """

    job: Job
    token: str
    duplicates: tuple[str, ...] = ()
    listeners: int = 0
    waiting: int = 0
    encoders: int = 1


class OnlyNewer(Exception):
    """The jobs that wait need a newer protocol than this process speaks. They go on waiting, and count no try."""


class JobQueue(Protocol):
    """A fair queue: clients take turns, and within each its lines (``core/turns.py``). Every method raises ``BackendUnavailable``.

    With each job that is queued, by whichever port, a ticket goes to the encoders: whoever gets it takes the job at the head of the queue.
    """

    def enqueue(self, job: Job, *, limit: int | None, share: int | None = None) -> Job:
        """Queue the job unless it is known; the job with its position and estimate.

        Raises ``QueueFull`` when ``limit`` jobs wait, and ``QuotaExceeded`` when ``share`` jobs of the client wait, run or are fetched.
        """

    def submit(self, job: Job, *, limit: int | None, share: int | None = None) -> Job | None:
        """As ``enqueue``. None, and nothing changes, where the job has completed duplicates (``JobStates.completed_duplicates``)."""

    def take(self, token: str, lease_s: float) -> Claim | None:
        """The next job in fair order, now running under ``token``; None when no job waits. Raises ``OnlyNewer``.

        A job whose ``work`` is being encoded already is not returned. It becomes a follower of the job that is being encoded (its leader)
        and shows the leader's progress. It is queued again, at the head, when the leader ends without a result for it or is lost.
        """

    def is_express_called(self, within_s: float) -> bool:
        """Wait until a small job is queued while all encoders are busy; whether one came in that time."""

    def take_express(self, token: str, lease_s: float) -> Claim | None:
        """As ``take``, of small jobs, beyond the encoders while all of them are busy: one of a client of whom nothing runs, or of any client while
        more large jobs run than small ones. None where there is none.
        """

    def requeue(self, job_id: str, *, only_paused: bool = False) -> int:
        """Put a running job back at the head of the queue, since its pause is over or its encoder was lost; -1 if it does not run,
        or is not paused where ``only_paused``.

        Returns how many encoders were lost over it and did not come back (``Leases.acquit``). After many it waits for its turn.
        """

    def top_up_tickets(self) -> int:
        """Replace tickets that were lost, so that there is one for each waiting job; how many were missing. A spare ticket does no harm."""

    def depth(self) -> int:
        """How many jobs wait."""

    def publish_positions(self) -> int:
        """Announce new positions and estimates to those who watch waiting jobs; how many were announced.

        A position is announced when it has changed by a tenth or more.
        """
