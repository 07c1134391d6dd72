"""Find a job: in the live state if it is known there, else in the store. Never another owner's.

One that is found in the store and has not ended should be known to Redis. It is remembered: a second later it is queued, unless Redis knows it then.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from backend import errors
from backend.core.job import Job, Manifest, Status
from backend.flows.context import Context
from backend.flows.unqueued import remember

log = logging.getLogger(__name__)
ID_LETTERS = 22
ID = re.compile(rf"[A-Za-z0-9_-]{{{ID_LETTERS}}}")
AT_A_TIME = 8
"""Look-ups of one request at the same time."""
SEQ_MARGIN = 16
"""Added to the ``seq`` of a job that is read from the store after Redis was lost: a client that saw later changes before must take it for newer."""


def find(context: Context, job_id: str, owner: str = "") -> Job:
    """Raises ``NotFound``: unknown, expired, erased and somebody else's all look the same, and take the same look-ups."""
    check_id(job_id)
    job = _find_live(context, job_id)
    if job is None or job.manifest.owner != owner:
        manifest = context.store.manifest(job_id)
        if manifest.owner != owner:
            raise errors.NotFound()
        job = _find_stored(context, manifest)
    if job.manifest.owner != owner or job.manifest.expires_at <= context.clock():
        raise errors.NotFound()
    return job


def find_several(context: Context, job_ids: Sequence[str], owner: str) -> dict[str, Job]:
    """Those that are there, by id. Of those that Redis does not know, several are looked up at a time: each is two requests to a bucket.

    Raises ``BackendUnavailable``.
    """
    live = [_find_live(context, job_id) for job_id in job_ids]
    found = {job.id: job for job in live if job is not None and job.manifest.owner == owner and job.manifest.expires_at > context.clock()}
    rest = [job_id for job_id in job_ids if job_id not in found]
    if rest:
        with ThreadPoolExecutor(min(AT_A_TIME, len(rest))) as pool:
            found.update((job.id, job) for job in pool.map(lambda job_id: _find_or_none(context, job_id, owner), rest) if job)
    return found


def _find_or_none(context: Context, job_id: str, owner: str) -> Job | None:
    try:
        return find(context, job_id, owner)
    except errors.NotFound:
        return None


def check_id(text: str) -> None:
    """Raises ``NotFound`` for what can be no id: of that much everybody may be told."""
    if not ID.fullmatch(text):
        raise errors.NotFound("id", id=text[:100], letters=ID_LETTERS, given=len(text))


def find_stored(context: Context, job_id: str) -> Job:
    """The job as the store knows it; one that has ended is made known to Redis again. Raises ``NotFound``."""
    return _find_stored(context, context.store.manifest(job_id))


def _find_stored(context: Context, manifest: Manifest) -> Job:
    outcome = context.store.outcome(manifest.id)
    if outcome is None:
        remember(context, manifest.id)
        return Job(manifest, Status())
    try:
        restored = context.jobs.restore(Job(manifest, outcome), SEQ_MARGIN)
        if restored.status.has_ended:
            return restored
    except errors.BackendUnavailable as error:
        log.warning("job %s is answered from the store: %s", manifest.id, error.private)
    return Job(manifest, replace(outcome, seq=outcome.seq + SEQ_MARGIN))


def _find_live(context: Context, job_id: str) -> Job | None:
    try:
        return context.jobs.find(job_id)
    except errors.BackendUnavailable as error:
        log.warning("job %s is looked up in the store: %s", job_id, error.private)
        return None
