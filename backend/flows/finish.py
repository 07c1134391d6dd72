"""Finish: end an encoded job, and with it the jobs that follow it."""

from __future__ import annotations

import logging

from backend import errors
from backend.core.job import Job
from backend.flows.conclude import commit
from backend.flows.context import Context
from backend.flows.deduplicate import share_with_followers

log = logging.getLogger(__name__)


def finish(context: Context, job: Job, token: str) -> Job:
    """End ``job`` as its status says; the job as it ended. ``token`` names the followers' files. Raises ``NotFound`` when it was erased."""
    if ended := _end_ephemeral(context, job):
        return ended
    job = commit(context, job)
    try:
        return _announce(context, job, token)
    except errors.BackendUnavailable as error:
        log.warning("the end of job %s is stored and will be announced later: %s", job.id, error.private)
        return job


def _end_ephemeral(context: Context, job: Job) -> Job | None:
    """End an ephemeral job that succeeded in the live state alone: nobody needs its end once its client is answered, and if Redis forgets it
    before that, the job is encoded again. None where the end must be stored: Redis is out of reach or does not know the job, or it has followers.
    """
    if not job.manifest.is_ephemeral or job.status.result is None:
        return None
    try:
        return context.jobs.end_alone(job)
    except errors.BackendUnavailable:
        return None


def _announce(context: Context, job: Job, token: str) -> Job:
    """The followers get the result before the job is said to have ended: after that its owner may delete it."""
    if job.status.result is not None:
        if ended := context.jobs.end_alone(job):
            return ended
        share_with_followers(context, job, token)
    return context.jobs.end(job)
