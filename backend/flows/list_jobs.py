"""List a maker's jobs, newest first, a page at a time; never anybody else's.

A page begins after a place and not at a number: jobs that are made meanwhile neither repeat a line nor hide one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from backend import errors
from backend.core.cursor import Place
from backend.core.job import Job, State
from backend.flows.context import Context
from backend.flows.find_job import find_several
from backend.ports.index import ListEntry

PAGE = 200


def page(
    context: Context, maker: str, owner: str, *, states: Collection[State] = (), limit: int, before: Place | None = None
) -> tuple[list[Job], Place | None]:
    """At most ``limit`` jobs, and the place after which more follow. Raises ``BackendUnavailable``, also while the list is being rebuilt."""
    if context.duties.epoch() is None:
        raise errors.BackendUnavailable(part="redis", retry_after_s=1, private="the live state is being rebuilt")
    jobs: list[Job] = []
    for entries in _pages(context, maker, before, max(limit + 1, PAGE if states else 0)):
        shown = [each for each in entries if not states or each.state is None or each.state in states]
        for begun in range(0, len(shown), limit + 1):
            for job in _jobs_of(context, shown[begun : begun + limit + 1], owner):
                if states and job.status.state not in states:
                    continue
                if len(jobs) == limit:
                    return jobs, _place(jobs[-1])
                jobs.append(job)
    return jobs, None


def _pages(context: Context, maker: str, before: Place | None, count: int) -> Iterator[list[ListEntry]]:
    while maker:
        found = context.index.entries(maker, before, count)
        yield found
        if len(found) < count:
            return
        before = (found[-1].created_at, found[-1].id)


def _jobs_of(context: Context, entries: Sequence[ListEntry], owner: str) -> list[Job]:
    """The jobs of these lines, without those that were erased, have expired, or belong to another owner."""
    now = context.clock()
    live = {each.id: each.job for each in entries if each.job and each.job.manifest.owner == owner and each.job.manifest.expires_at > now}
    found = live | find_several(context, [each.id for each in entries if each.id not in live], owner)
    return [found[each.id] for each in entries if each.id in found]


def _place(job: Job) -> Place:
    return job.manifest.created_at, job.id
