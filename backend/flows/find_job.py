"""Find a job: in the live state if it is known there, else in the store. Never another owner's."""

from __future__ import annotations

import logging
import re
from dataclasses import replace

from backend import errors
from backend.core.job import Job, Status
from backend.flows.context import Context

log = logging.getLogger(__name__)
ID_LETTERS = 22
ID = re.compile(rf"[A-Za-z0-9_-]{{{ID_LETTERS}}}")
SEQ_MARGIN = 16
"""Added to the ``seq`` of a job that is read from the store: a client that saw later changes before must still take it for newer."""


def find(context: Context, job_id: str, owner: str = "") -> Job:
    """Raises ``NotFound``: unknown, expired, erased and somebody else's all look the same, and take the same look-ups."""
    check_id(job_id)
    job = _find_live(context, job_id)
    if job is None or job.manifest.owner != owner:
        if context.store.manifest(job_id).owner != owner:
            raise errors.NotFound()
        job = find_stored(context, job_id)
    if job.manifest.owner != owner or job.manifest.expires_at <= context.clock():
        raise errors.NotFound()
    return job


def check_id(text: str) -> None:
    """Raises ``NotFound`` for what can be no id: of that much everybody may be told."""
    if not ID.fullmatch(text):
        raise errors.NotFound("id", id=text[:100], letters=ID_LETTERS, given=len(text))


def find_stored(context: Context, job_id: str) -> Job:
    """The job as the store knows it; one that has ended is made known to Redis again. Raises ``NotFound``."""
    manifest, outcome = context.store.manifest(job_id), context.store.outcome(job_id)
    if outcome is None:
        return Job(manifest, Status())
    job = Job(manifest, replace(outcome, seq=outcome.seq + SEQ_MARGIN))
    try:
        context.jobs.restore(job)
    except errors.BackendUnavailable as error:
        log.warning("job %s is answered from the store: %s", job_id, error.private)
    return job


def _find_live(context: Context, job_id: str) -> Job | None:
    try:
        return context.jobs.find(job_id)
    except errors.BackendUnavailable as error:
        log.warning("job %s is looked up in the store: %s", job_id, error.private)
        return None
