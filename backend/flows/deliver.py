"""Deliver: open the bytes of a result or a source."""

from __future__ import annotations

from backend import errors
from backend.core.job import Job, Result
from backend.flows.context import Context
from backend.ports.blob import Blob


def result(context: Context, job: Job) -> tuple[Result, Blob]:
    """The result and its bytes. Raises ``NotReady`` before the end, ``Gone`` where the result was erased or never existed."""
    if not job.status.has_ended:
        raise errors.NotReady(state=job.status.state)
    if job.status.result is None:
        raise errors.Gone("state", state=job.status.state)
    return job.status.result, context.store.open_result(job.id, job.status.result.file)


def source(context: Context, job: Job) -> Blob:
    """The bytes that were uploaded or fetched. Raises ``NotReady`` while they are being fetched."""
    if job.manifest.is_awaited:
        raise errors.NotReady(state=job.status.state)
    return context.store.open_source(job.id)
