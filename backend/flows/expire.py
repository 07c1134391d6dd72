"""Expire: erase what has outlived its retention."""

from __future__ import annotations

import logging

from backend import errors
from backend.core import tally
from backend.core.job import Job, Status
from backend.flows.conclude import end_for_receiver
from backend.flows.context import Context

log = logging.getLogger(__name__)
ERASED_AT_ONCE = 200


def expire_some(context: Context) -> tuple[int, bool]:
    """Erase up to ``ERASED_AT_ONCE`` jobs that have outlived their retention; the bytes freed, and whether more may be due that can be erased."""
    ids = context.index.expired(context.clock(), ERASED_AT_ONCE)
    erased = [_erase_expired(context, job_id) for job_id in ids]
    freed = sum(each for each in erased if each is not None)
    count_freed(context, freed, "retention")
    return freed, len(ids) == ERASED_AT_ONCE and None not in erased


def _erase_expired(context: Context, job_id: str) -> int | None:
    """The bytes freed; None when the job cannot be erased now."""
    try:
        if context.sends_webhooks:
            _end_expired(context, job_id)
        freed = context.store.erase(job_id)
    except errors.GatewayError as error:
        log.warning("job %s has expired and cannot be erased yet: %s", job_id, error)
        return None
    context.jobs.forget(job_id)
    return freed


def _end_expired(context: Context, job_id: str) -> None:
    """Whoever waits for the end of a job that expires before it hears that it is cancelled."""
    try:
        manifest = context.store.manifest(job_id)
        if manifest.webhook_url:
            end_for_receiver(context, Job(manifest, context.store.outcome(job_id) or Status()))
    except errors.NotFound:
        return


def count_freed(context: Context, freed_bytes: int, why: str) -> None:
    if freed_bytes:
        context.counters.add({tally.FREED_BYTES: freed_bytes})
        log.info("%s freed %s bytes", why, freed_bytes)
