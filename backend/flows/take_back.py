"""Take back: give the job of a lost encoder to another."""

from __future__ import annotations

import logging

from backend import errors
from backend.core.job import MAX_ATTEMPTS, failed
from backend.flows.conclude import conclude
from backend.flows.context import Context
from backend.flows.find_job import find_stored

log = logging.getLogger(__name__)


def take_back_or_log(context: Context, job_id: str) -> None:
    """A store that fails for one job, or is full, must not keep the other jobs waiting, nor the retention that makes room."""
    try:
        _take_back(context, job_id)
    except errors.GatewayError as error:
        log.warning("the encoder of job %s is lost, and the job cannot be taken back yet: %s", job_id, error)


def _take_back(context: Context, job_id: str) -> None:
    """Queue the job of a lost encoder again, unless it has ended in the store. After ``MAX_ATTEMPTS`` lost encoders the job fails."""
    try:
        job = find_stored(context, job_id)
    except errors.NotFound:
        context.jobs.forget(job_id)
        return
    if job.status.has_ended:
        conclude(context, job)
        return
    live = context.jobs.find(job_id)
    if live is not None and live.status.attempt >= MAX_ATTEMPTS:
        conclude(context, live.at(failed(live.status, errors.Internal("encoder_lost", attempts=live.status.attempt), context.clock())))
        return
    log.warning("the encoder of job %s is lost; the job is queued again", job_id)
    context.queue.requeue(job_id)
