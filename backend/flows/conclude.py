"""End a job, once: the store decides who was first, Redis is told afterwards. Of a passing job that went well, only Redis is told."""

from __future__ import annotations

import logging
from collections.abc import Callable

from backend import errors
from backend.core.job import Job, cancelled
from backend.flows.context import Context

log = logging.getLogger(__name__)


def conclude(context: Context, job: Job, serve_twins: Callable[[Job], object] | None = None) -> Job:
    """Commit ``job.status``, which has ended, unless another end stands; the job as it ended. Raises ``NotFound`` when it was erased.

    ``serve_twins`` is given the job, where any run along with it, before its end is told: then nothing its owner does can take the result away.
    """
    if serve_twins is not None and (told := _told(context, job)):
        return told
    if not context.store.conclude(job.id, job.status, lasts=not job.manifest.is_ephemeral):
        outcome = context.store.outcome(job.id)
        if outcome is None:
            raise errors.NotFound()
        job = job.at(outcome)
    try:
        if serve_twins is not None and job.status.result is not None:
            if alone := context.jobs.end_alone(job):
                return alone
            serve_twins(job)
        return context.jobs.end(job)
    except errors.BackendUnavailable as error:
        log.warning("the end of job %s is stored and will be announced later: %s", job.id, error.private)
        return job


def _told(context: Context, job: Job) -> Job | None:
    """A passing job's good end, which nobody needs once it is answered: should Redis forget it before, the job is encoded again. None where it is to
    be written down after all: Redis is out of reach or does not know the job, which may have been erased, or others run along with it."""
    if not job.manifest.is_ephemeral or job.status.result is None:
        return None
    try:
        return context.jobs.end_alone(job)
    except errors.BackendUnavailable:
        return None


def cancel(context: Context, job: Job) -> Job:
    """The encoder learns of it at its next heartbeat and kills the child. Raises ``AlreadyFinished``."""
    if job.status.has_ended:
        raise errors.AlreadyFinished(state=job.status.state)
    ended = conclude(context, job.at(cancelled(job.status, context.clock())))
    if ended.status.state != "cancelled":
        raise errors.AlreadyFinished(state=ended.status.state)
    return ended


def erase(context: Context, job: Job) -> None:
    """Source, result and record. An encoder that still works on it finds nothing left to work for."""
    context.store.erase(job.id, lasts=not job.manifest.is_ephemeral)
    try:
        context.jobs.forget(job.id)
    except errors.BackendUnavailable as error:
        log.warning("job %s is erased; Redis forgets it later: %s", job.id, error.private)
