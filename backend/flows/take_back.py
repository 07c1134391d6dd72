"""Take back: give the job of a lost encoder to another, and one that was put off to the next."""

from __future__ import annotations

import logging

from backend import errors
from backend.core.job import failed
from backend.core.pauses import MAX_LOSSES
from backend.flows.conclude import conclude
from backend.flows.context import Context
from backend.flows.find_job import find_stored

log = logging.getLogger(__name__)
STORE_FAILURES = 3


def take_back_expired(context: Context) -> None:
    """A store that fails for one job, or is full, must not keep the other jobs waiting, nor the retention that makes room. One that fails for
    ``STORE_FAILURES`` is asked no more in this turn: each question may take seconds."""
    failures = 0
    for job_id in context.leases.expired():
        try:
            if context.queue.requeue(job_id, only_paused=True) < 0 and failures < STORE_FAILURES:
                _take_back(context, job_id)
        except errors.GatewayError as error:
            failures += 1
            log.warning("the encoder of job %s is lost, and the job cannot be taken back yet: %s", job_id, error)


def _take_back(context: Context, job_id: str) -> None:
    """Queue the job of a lost encoder again, unless it has ended in the store. After ``MAX_LOSSES`` encoders that never came back it fails."""
    try:
        job = find_stored(context, job_id)
    except errors.NotFound:
        context.jobs.forget(job_id)
        return
    if job.status.has_ended:
        conclude(context, job)
        return
    losses = context.queue.requeue(job_id)
    log.warning("the encoder of job %s is lost; the job is queued again", job_id)
    live = context.jobs.find(job_id)
    if live is not None and losses >= MAX_LOSSES:
        conclude(context, live.at(failed(live.status, errors.Internal("encoder_lost", attempts=losses), context.clock())))
