"""Deliver: the bytes of a result or a source, opened for reading."""

from __future__ import annotations

from backend import errors
from backend.core.job import Job, Result
from backend.flows.context import Context
from backend.ports.blob import Blob


def result(context: Context, job: Job) -> tuple[Result, Blob]:
    """Raises ``NotReady`` before the end, ``Gone`` where there is no result any more or never was one."""
    if not job.status.has_ended:
        raise errors.NotReady(state=job.status.state)
    if job.status.result is None:
        raise errors.Gone("state", state=job.status.state)
    return job.status.result, context.store.open_result(job.id, job.status.result.file)


def source(context: Context, job: Job) -> Blob:
    """Raises ``NotReady`` while it is still being fetched."""
    if job.manifest.is_awaited:
        raise errors.NotReady(state=job.status.state)
    return context.store.open_source(job.id)
