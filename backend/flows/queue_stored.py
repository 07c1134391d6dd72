"""Queue jobs that the store knows and Redis does not: after Redis was emptied or out of reach, or lost a key."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from backend import errors
from backend.core.batch import Batch
from backend.core.job import Job, Manifest, Status
from backend.flows.context import Context
from backend.flows.find_job import SEQ_MARGIN

log = logging.getLogger(__name__)
READ_AT_ONCE = 16
"""Jobs that are read from the store between two calls of ``go_on``: over a slow network these take a second."""
ABANDONED_S = 3600.0
"""A job of a batch that is not there belongs to a process that died over it, after so many seconds."""
CHANGES_PER_S = 12
"""More changes than a job can have in a second; bounds the ``seq`` that clients may have seen before the log was lost."""


@dataclass(slots=True)
class Queued:
    """``gone`` are the ids of jobs that the store has no more, or that have ended there."""

    queued: int = 0
    unread: int = 0
    gone: list[str] = field(default_factory=list)


def queue_stored(context: Context, ids: Sequence[str], go_on: Callable[[], object] = lambda: None, *, begun: int = 1) -> Queued:
    """Queue those of the jobs that Redis does not know and that have not ended, the oldest first.

    Redis is asked before the store, since ``conclude.erase`` begins with the store. ``begun``: how many fetches of a job that awaits its source count
    as begun. After Redis was lost it is one: that fetch may be what killed the process. Raises ``BackendUnavailable``.
    """
    unknown, done = context.jobs.unknown(ids), Queued()
    found: list[Manifest] = []
    for first in range(0, len(unknown), READ_AT_ONCE):
        go_on()
        asked = unknown[first : first + READ_AT_ONCE]
        read = context.store.unfinished(asked)
        found += read.found
        done.unread += len(read.unread)
        done.gone += set(asked) - {each.id for each in read.found} - set(read.unread)
    batches: dict[str, Batch | None] = {}
    for number, manifest in enumerate(sorted(found, key=lambda each: each.created_at)):
        if number % READ_AT_ONCE == 0:
            go_on()
        if manifest.expires_at > context.clock() and _is_acknowledged(context, manifest, batches):
            _make_known(context, manifest, begun)
            done.queued += 1
    return done


def _make_known(context: Context, manifest: Manifest, begun: int) -> None:
    """One whose source is still to be fetched is reserved with a lease that has run out, so that a fetcher takes it over."""
    job = Job(manifest, Status(seq=_safe_seq(context, manifest)))
    if manifest.is_awaited:
        context.fetch_leases.reserve(job, "", 0.0, limit=None, begun=begun)
    else:
        context.queue.enqueue(job, limit=None)


def _is_acknowledged(context: Context, manifest: Manifest, batches: dict[str, Batch | None]) -> bool:
    """Whether a client was told of the job. A batch is stored after all its jobs, so a job without its batch was never acknowledged
    (``batch.accept``). It is erased once no process can be making that batch any more."""
    if manifest.batch is None:
        return True
    if manifest.batch not in batches:
        try:
            batches[manifest.batch] = context.store.batch(manifest.batch)
        except errors.NotFound:
            batches[manifest.batch] = None
    if batches[manifest.batch] is not None:
        return True
    if context.clock() - manifest.created_at > ABANDONED_S:
        log.info("job %s of a batch that never came about is erased", manifest.id)
        context.store.erase(manifest.id)
    return False


def _safe_seq(context: Context, manifest: Manifest) -> int:
    age_s = max(0.0, context.clock() - manifest.created_at)
    return 1 if age_s < 1 else SEQ_MARGIN + int(age_s * CHANGES_PER_S)
