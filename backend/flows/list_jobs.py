"""List a maker's jobs, newest first, a page at a time; never anybody else's.

A page begins after a place and not at a number: jobs that are made meanwhile neither repeat a line nor hide one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from backend import errors
from backend.core.cursor import Place
from backend.core.job import Job, State
from backend.flows.context import Context
from backend.flows.find_job import find
from backend.ports.index import ListEntry

PAGE = 200


def page(
    context: Context, maker: str, owner: str, *, states: Collection[State] = (), limit: int, before: Place | None = None
) -> tuple[list[Job], Place | None]:
    """At most ``limit`` jobs, and the place after which more follow. Raises ``BackendUnavailable``, also while the list is being rebuilt."""
    if context.duties.epoch() is None:
        raise errors.BackendUnavailable(part="redis", retry_after_s=1, private="the live state is being rebuilt")
    jobs: list[Job] = []
    for entry in _entries(context, maker, before, max(limit + 1, PAGE if states else 0)):
        job = _job_of(context, entry, owner)
        if job is None or (states and job.status.state not in states):
            continue
        if len(jobs) == limit:
            return jobs, _place(jobs[-1])
        jobs.append(job)
    return jobs, None


def _entries(context: Context, maker: str, before: Place | None, count: int) -> Iterator[ListEntry]:
    while maker:
        found = context.index.entries(maker, before, count)
        yield from found
        if len(found) < count:
            return
        before = (found[-1].created_at, found[-1].id)


def _job_of(context: Context, entry: ListEntry, owner: str) -> Job | None:
    """The job of a line; None when it was erased, has expired, or belongs to another owner."""
    if entry.job is not None and entry.job.manifest.owner == owner and entry.job.manifest.expires_at > context.clock():
        return entry.job
    try:
        return find(context, entry.id, owner)
    except errors.NotFound:
        return None


def _place(job: Job) -> Place:
    return job.manifest.created_at, job.id
