"""Deliver: the bytes of a result or a source, opened for reading."""

from __future__ import annotations

from backend import errors
from backend.core.job import Job, Result
from backend.flows.world import World
from backend.ports import Blob


def result(world: World, job: Job) -> tuple[Result, Blob]:
    """Raises ``NotReady`` before the end, ``Gone`` where there is no result any more or never was one."""
    if not job.status.has_ended:
        raise errors.NotReady(state=job.status.state)
    if job.status.result is None:
        raise errors.Gone("state", state=job.status.state)
    return job.status.result, world.store.open_result(job.id, job.status.result.file)


def source(world: World, job: Job) -> Blob:
    """Raises ``NotReady`` while it is still being fetched."""
    if job.manifest.is_awaited:
        raise errors.NotReady(state=job.status.state)
    return world.store.open_source(job.id)
