"""Share: equal bytes with equal options are encoded once. Each job keeps its own record, its own progress, its own end and its own deletion.

A job whose equal has succeeded gets that result, under a second name for the same bytes. One whose equal is being encoded runs along with it
(``JobQueue.take``) and gets the result before the other is said to have ended, so that nothing the other's owner does then can take it away. Where
sharing fails for whatever reason, the job is simply encoded.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace

from backend import errors
from backend.core.job import Job, Result, succeeded
from backend.flows.conclude import conclude
from backend.flows.context import Context

log = logging.getLogger(__name__)


def finished(context: Context, job: Job, token: str, others: Iterable[str]) -> Job | None:
    """The job as it should end, with the result of the first of ``others`` that has one; None when none has. They are its equals."""
    for other_id in others:
        if other_id == job.id:
            continue
        try:
            outcome = context.store.outcome(other_id)
            if outcome is not None and outcome.result is not None:
                return _ended(context, job, _shared(context, other_id, outcome.result, job.id, token))
        except errors.GatewayError as error:
            log.debug("the result of job %s cannot be shared: %s", other_id, error)
    return None


def at_once(context: Context, job: Job) -> Job | None:
    """A job that nobody has taken yet, ended with an equal one's result; None when it has to be queued."""
    try:
        shared = finished(context, job, context.new_id(), context.jobs.completed_duplicates(job.manifest.work_key))
        return conclude(context, shared) if shared else None
    except errors.GatewayError as error:
        log.warning("job %s is encoded by itself: %s", job.id, error)
        return None


def with_twins(context: Context, job: Job, token: str) -> None:
    """Give the result with which ``job`` ends to those that ran along with it."""
    assert job.status.result is not None
    try:
        twins = context.jobs.followers(job.id)
    except errors.BackendUnavailable as error:
        log.warning("the twins of job %s are not known: %s", job.id, error.private)
        return
    for twin in twins:
        try:
            conclude(context, _ended(context, twin, _shared(context, job.id, job.status.result, twin.id, token)))
        except (errors.Gone, errors.NotFound):
            continue
        except errors.GatewayError as error:
            log.warning("job %s is encoded by itself: %s", twin.id, error)


def _shared(context: Context, from_id: str, result: Result, job_id: str, token: str) -> Result:
    """The seconds that the encode took are not this job's."""
    facts = {name: value for name, value in result.facts.items() if name != "seconds"}
    return replace(result, file=context.store.share(from_id, result.file, job_id, token), facts=facts)


def _ended(context: Context, job: Job, result: Result) -> Job:
    now = context.clock()
    return job.at(succeeded(replace(job.status, started_at=job.status.started_at or now), result, now))
