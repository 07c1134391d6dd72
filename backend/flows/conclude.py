"""End a job, once: the store decides which end is first, and the live state is told afterwards."""

from __future__ import annotations

import logging

from backend import errors
from backend.core.job import Job, cancelled
from backend.flows.context import Context

log = logging.getLogger(__name__)


def conclude(context: Context, job: Job) -> Job:
    """Commit and announce ``job.status``, which has ended; the job as it ended. Raises ``NotFound`` when the job was erased."""
    job = commit(context, job)
    try:
        return context.jobs.end(job)
    except errors.BackendUnavailable as error:
        log.warning("the end of job %s is stored and will be announced later: %s", job.id, error.private)
        return job


def commit(context: Context, job: Job) -> Job:
    """Write the end into the store; the job as it ended, for an earlier end stands. Raises ``NotFound`` when the job was erased."""
    if context.store.commit_outcome(job.id, job.status, durable=not job.manifest.is_ephemeral):
        return job
    outcome = context.store.outcome(job.id)
    if outcome is None:
        raise errors.NotFound()
    return job.at(outcome)


def cancel(context: Context, job: Job) -> Job:
    """Cancel a job that has not ended; its encoder hears of it and kills the child. Raises ``AlreadyFinished``, ``NotFound``."""
    if job.status.has_ended:
        raise errors.AlreadyFinished(state=job.status.state)
    ended = conclude(context, job.at(cancelled(job.status, context.clock())))
    if ended.status.state != "cancelled":
        raise errors.AlreadyFinished(state=ended.status.state)
    return ended


def erase(context: Context, job: Job) -> None:
    """Delete source, result and record. An encoder that still works on the job finds nothing left to work for."""
    context.store.erase(job.id, durable=not job.manifest.is_ephemeral)
    try:
        context.jobs.forget(job.id)
    except errors.BackendUnavailable as error:
        log.warning("job %s is erased; Redis forgets it later: %s", job.id, error.private)
