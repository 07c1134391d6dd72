"""Live job state, the queue and its leases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from backend.core.job import Job, Manifest, Status
from backend.core.overview import Overview


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in one encoder's hands: valid while ``token`` is the job's newest. ``same``: as ``Jobs.same`` told when it was taken."""

    job: Job
    token: str
    same: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListEntry:
    """A line of a list: ``job`` is None where the live state does not know it."""

    id: str
    created_at: float
    job: Job | None


@dataclass(frozen=True, slots=True)
class Submission:
    """``is_heard``: an encoder knows that a job waits, or will find out by itself. Else ``Encoders.wake``."""

    job: Job
    is_heard: bool


@dataclass(frozen=True, slots=True)
class ReportAck:
    """``seq`` is the job's, or 0: it is no longer yours. ``listeners`` heard of the change, if there was one."""

    seq: int
    listeners: int


class Jobs(Protocol):
    """Live state, event log, queue and leases. May be lost at any moment; the store rebuilds it.

    Every method raises ``BackendUnavailable`` when it cannot be reached.
    """

    def enqueue(self, job: Job, *, limit: int | None) -> Job:
        """Queue it unless it is known; the job with its place and estimate. Raises ``QueueFull`` when ``limit`` jobs wait."""

    def submit(self, job: Job, *, limit: int | None) -> Submission | None:
        """``enqueue``, and whoever rests is told; but where jobs with the same work have succeeded: None then, and nothing has changed."""

    def promise(self, job: Job, token: str, lease_s: float, *, limit: int | None) -> Job:
        """Make a job known whose source ``token`` fetches; left alone if it is known. Raises ``QueueFull`` when so many wait or are fetched."""

    def fetching(self, job_id: str, token: str, percent: int, lease_s: float) -> bool | None:
        """Renew the lease and tell how far it is. False: no longer wanted, or another's. None: unknown here (state was lost)."""

    def unfetched(self) -> list[str]:
        """Promised jobs whose lease has run out."""

    def fetch_again(self, job_id: str, token: str, lease_s: float) -> bool:
        """Take over from whoever let the lease run out; False if another was quicker."""

    def supply(self, job: Job) -> Job:
        """Queue a promised job, whose manifest has its source now; the job with its place and estimate."""

    def move(self) -> int:
        """Tell the waiting jobs' watchers of their new places and estimates, in steps of a tenth; how many changed."""

    def restore(self, job: Job) -> None:
        """Make an ended job's state known again, if it is not."""

    def take(self, token: str, lease_s: float) -> Claim | None:
        """The next job in fair order, now running under ``token``; None when none waits.

        One whose ``work`` is in an encoder's hands already is not given out: it becomes a twin of the job there, runs along with it, and is
        queued again, at the head, if that one ends without it or is lost.
        """

    def take_at_bell(self, token: str, lease_s: float, name: str, seconds: float) -> tuple[bool, Claim | None]:
        """``take`` as soon as ``name``, which rests (``Bell.rest``), is rung, or after so long; and whether it was rung."""

    def twins(self, job_id: str) -> list[Job]:
        """The jobs that run along with this one."""

    def same(self, work: str) -> list[str]:
        """Jobs that succeeded with this ``work``, newest first; a few."""

    def report(self, job_id: str, token: str, patch: dict[str, object], lease_s: float) -> ReportAck | None:
        """Renew the lease, record a change if ``patch`` has one. None: unknown here (state was lost).

        A passing job's lease is renewed and nothing recorded: whoever waits for it waits for its end.
        """

    def adopt(self, claim: Claim, lease_s: float) -> bool:
        """Make a running job known again after the state was lost; False if another encoder was quicker."""

    def end(self, job: Job) -> Job:
        """Record ``job.status``, which has ended; the job as recorded, with its ``seq``. An earlier end stands."""

    def end_alone(self, job: Job) -> Job | None:
        """``end``, but where twins run along with it, or it is passing and not known: None then, and nothing has changed."""

    def lost(self) -> list[str]:
        """Jobs whose lease has run out."""

    def requeue(self, job_id: str) -> int:
        """Put a lost job at the head of the queue again; how often it was tried."""

    def find(self, job_id: str) -> Job | None: ...

    def since(self, job_id: str, seq: int) -> list[Status] | None:
        """The changes after ``seq`` in order; None when the log no longer reaches back so far."""

    def forget(self, job_id: str) -> None: ...

    def queued(self) -> int: ...

    def running(self) -> int: ...

    def epoch(self) -> str | None:
        """Who rebuilt this state; None when it is empty, or may be an older one, so that it must be rebuilt."""

    def begin_epoch(self, name: str) -> None: ...

    def hold(self, name: str, holder: str, seconds: float) -> bool:
        """Take or renew a named duty, so that one process at a time does it."""

    def expect(self, manifests: Sequence[Manifest]) -> None:
        """Note when each job is to be erased, and to whom it is listed (what makes a job known does it by itself)."""

    def expired(self, now: float, limit: int) -> list[str]: ...

    def listed(self, maker: str, before: tuple[float, str] | None, limit: int) -> list[ListEntry]:
        """The jobs of a maker, newest first, from after ``before`` (created_at, id) on. Some may have been erased meanwhile."""

    def greet(self, encoder: str, facts: Mapping[str, Any], seconds: float) -> None:
        """An encoder says that it is there, for so long."""

    def encoders(self) -> list[dict[str, Any]]:
        """The facts of the encoders that are there."""

    def tally(self, amounts: Mapping[str, float]) -> None:
        """Add to ``Overview.totals``. What is counted of a job is added by the change itself, once (``core.tally``)."""

    def overview(self) -> Overview:
        """Everything at one moment, at a cost that the number of jobs does not change."""

    def recall(self, key: str) -> str | None:
        """What ``remember`` kept under ``key``."""

    def remember(self, key: str, value: str, seconds: int) -> bool:
        """Keep ``value`` for so long, unless there is one already: then False."""

    def release(self, key: str) -> None:
        """Drop what ``remember`` kept."""

    def count(self, key: str, amount: int, window_s: int) -> tuple[int, int]:
        """Add to a counter that ends with its window: (the count, seconds until it ends)."""

    def ping(self) -> None: ...
