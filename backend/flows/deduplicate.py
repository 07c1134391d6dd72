"""Deduplicate: equal bytes with equal options are encoded once. Each job keeps its own record, progress, end and deletion.

A job whose duplicate has succeeded gets that job's result, under a second name for the same bytes. A job whose duplicate is being encoded
follows it (``JobQueue.take``). Where sharing fails, for whatever reason, the job is simply encoded.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace

from backend import errors
from backend.core.job import Job, Result, Status, succeeded
from backend.flows import watermarks
from backend.flows.conclude import conclude
from backend.flows.context import Context

log = logging.getLogger(__name__)


def share_result(context: Context, job: Job, token: str, duplicates: Iterable[str]) -> Job | None:
    """The job as it should end, with the result of the first of its ``duplicates`` that has one; None when none has.

    Raises ``BackendUnavailable`` where its watermark cannot be read.
    """
    mark = watermarks.digest(context, job.manifest.options)
    for other_id in duplicates:
        if other_id == job.id:
            continue
        try:
            outcome = context.store.outcome(other_id)
            if outcome is not None and outcome.result is not None and watermarks.has_mark(outcome.result, mark):
                return _succeeded(context, job, other_id, outcome, token)
        except errors.GatewayError as error:
            log.debug("the result of job %s cannot be shared: %s", other_id, error)
    return None


def end_as_duplicate(context: Context, job: Job) -> Job | None:
    """End a job that is not queued yet, with a duplicate's result; None when it has to be queued."""
    try:
        shared = share_result(context, job, context.new_id(), context.jobs.completed_duplicates(job.manifest.work_key))
        return conclude(context, shared) if shared else None
    except errors.GatewayError as error:
        log.warning("job %s is encoded by itself: %s", job.id, error)
        return None


def share_with_followers(context: Context, job: Job, token: str) -> None:
    """End the job's followers with the result with which ``job`` is about to end."""
    assert job.status.result is not None
    try:
        followers = context.jobs.followers(job.id)
    except errors.BackendUnavailable as error:
        log.warning("the followers of job %s are not known: %s", job.id, error.private)
        return
    for follower in followers:
        try:
            conclude(context, _succeeded(context, follower, job.id, job.status, token))
        except (errors.Gone, errors.NotFound):
            continue
        except errors.GatewayError as error:
            log.warning("job %s is encoded by itself: %s", follower.id, error)


def _succeeded(context: Context, job: Job, from_id: str, known: Status, token: str) -> Job:
    """The job with the results with which ``from_id`` ended."""
    results = tuple(_link_result(context, from_id, each, job.id, f"{token}-{each.number}") for each in known.results)
    if results:
        first = results[0]
    else:
        assert known.result is not None
        first = _link_result(context, from_id, known.result, job.id, token)
    now = context.clock()
    return job.at(succeeded(replace(job.status, started_at=job.status.started_at or now), first, now, results))


def _link_result(context: Context, from_id: str, result: Result, job_id: str, token: str) -> Result:
    """Give the stored result to another job too. The seconds that the encode took are not that job's."""
    facts = {name: value for name, value in result.facts.items() if name != "seconds"}
    return replace(result, file=context.store.reuse_result(from_id, result.file, job_id, token), facts=facts)
