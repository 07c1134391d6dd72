"""End a job, once: the store decides which end is first, its receiver is noted beside it, and the live state is told afterwards."""

from __future__ import annotations

import logging

from backend import errors
from backend.core.job import Job, cancelled
from backend.flows.context import Context
from backend.flows.webhooks import record_end

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
    """Write the end into the store, and what its webhook is to send; the job as it ended, for an earlier end stands.

    Raises ``NotFound`` when the job was erased.
    """
    if not context.store.commit_outcome(job.id, job.status, durable=not job.manifest.is_ephemeral):
        outcome = context.store.outcome(job.id)
        if outcome is None:
            raise errors.NotFound()
        job = job.at(outcome)
    record_end(context.store, context.deliveries, context.receiver, job)
    return job


def cancel(context: Context, job: Job) -> Job:
    """Cancel a job that has not ended; its encoder hears of it and kills the child. Raises ``AlreadyFinished``, ``NotFound``."""
    if job.status.has_ended:
        raise errors.AlreadyFinished(state=job.status.state)
    ended = conclude(context, job.at(cancelled(job.status, context.clock())))
    if ended.status.state != "cancelled":
        raise errors.AlreadyFinished(state=ended.status.state)
    return ended


def end_unheard(context: Context, job: Job) -> None:
    """Cancel, in the live state alone, a job for whose end nobody waits and which the store cannot erase now."""
    try:
        if not job.status.has_ended:
            context.jobs.end(job.at(cancelled(job.status, context.clock())))
    except errors.BackendUnavailable as error:
        log.warning("job %s may be worked on until it expires: %s", job.id, error.private)


def delete(context: Context, job: Job) -> None:
    """As ``erase``, of a job whose receiver may wait for its end: one that has not ended is cancelled by that.

    Raises ``NotFound``, ``StorageFull``.
    """
    end_for_receiver(context, job)
    erase(context, job)


def end_for_receiver(context: Context, job: Job) -> None:
    """Commit an end where the job has a webhook. Called before it is erased: afterwards nobody could know what to send."""
    if job.manifest.webhook_url:
        commit(context, job if job.status.has_ended else job.at(cancelled(job.status, context.clock())))


def erase(context: Context, job: Job) -> None:
    """Delete source, result and record. An encoder that still works on the job finds nothing left to work for."""
    context.store.erase(job.id, durable=not job.manifest.is_ephemeral)
    try:
        context.jobs.forget(job.id)
    except errors.BackendUnavailable as error:
        log.warning("job %s is erased; Redis forgets it later: %s", job.id, error.private)
