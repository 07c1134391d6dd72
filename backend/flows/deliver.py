"""Deliver: open the bytes of a result or a source."""

from __future__ import annotations

from backend import errors
from backend.core.job import Job, Result
from backend.flows.context import Context
from backend.ports.blob import Blob


def result_of(job: Job) -> Result:
    """What is known of the result. Raises ``NotReady`` before the end, ``Gone`` where there never was one."""
    if not job.status.has_ended:
        raise errors.NotReady(state=job.status.state)
    if job.status.result is None:
        raise errors.Gone("state", state=job.status.state)
    return job.status.result


def result(context: Context, job: Job) -> tuple[Result, Blob]:
    """The result and its bytes. Raises as ``result_of``, and ``Gone`` where it was erased."""
    known = result_of(job)
    return known, context.store.open_result(job.id, known.file)


def check_source(job: Job) -> None:
    """Raises ``NotReady`` while the source is being fetched, ``Gone`` where it could not be."""
    if job.manifest.is_awaited:
        raise errors.Gone("source", state=job.status.state) if job.status.has_ended else errors.NotReady("source", state=job.status.state)


def source(context: Context, job: Job) -> Blob:
    """The bytes that were uploaded or fetched. Raises as ``check_source``."""
    check_source(job)
    return context.store.open_source(job.id)
