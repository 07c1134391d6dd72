"""Tend: what must happen by itself, done by one gateway process at a time.

Rebuild an empty Redis from the store; give the jobs of lost encoders to others; replace tickets that were lost; erase what has expired.
Each duty is idempotent, so it does no harm if two processes do it for a moment.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from backend import errors
from backend.core import tally
from backend.core.batch import Batch
from backend.core.job import MAX_ATTEMPTS, Job, Manifest, Status, failed
from backend.flows.conclude import conclude
from backend.flows.context import Context
from backend.flows.fetch import Fetcher
from backend.flows.find_job import SEQ_MARGIN, stored
from backend.flows.uploads import sweep

log = logging.getLogger(__name__)
DUTY_S = 3.0
"""The holder of the duty is succeeded this long after it died."""
EXPIRE_EVERY_S = 10.0
TIDY_EVERY_S = 300.0
RESCAN_EVERY_S = 300.0
REBUILD_MARK_S = 3600
ABANDONED_S = 3600.0
"""Half-written things untouched for so long belong to a process that died."""
PAGE = 500
CHANGES_PER_S = 12
"""More changes than a job can have in a second; bounds the ``seq`` that clients may have seen before the log was lost."""


@dataclass(slots=True)
class Janitor:
    """Call ``tend`` about once a second."""

    context: Context
    name: str
    fetcher: Fetcher | None = None
    _expired_s: float = field(default=0.0)
    _tidied_s: float = field(default=0.0)
    _scanned_s: float = field(default=0.0)

    def tend(self) -> None:
        """Raises ``BackendUnavailable`` when Redis or the store cannot be reached; simply call again."""
        context, now = self.context, self.context.clock()
        if not self._holds():
            return
        if context.duties.epoch() is None:
            self._rebuild(now)
        for job_id in context.leases.expired():
            _take_back_if_it_can_be(context, job_id)
        if self.fetcher is not None:
            for job_id in context.fetch_leases.expired():
                self.fetcher.take_over(job_id)
        context.queue.publish_positions()
        _top_up_tickets(context)
        self._now_and_then(now)

    def _holds(self) -> bool:
        return self.context.duties.acquire("caretaker", self.name, DUTY_S)

    def _rebuild(self, now: float) -> None:
        """The epoch begins last, so a rebuild that was killed is done again; so is one in whose midst Redis became empty once more."""
        mark = f"rebuild:{self.name}:{now}"
        while True:
            self.context.memos.put_if_absent(mark, self.name, REBUILD_MARK_S)
            recover(self.context, self._holds)
            self.context.duties.begin_epoch(self.name)
            if self.context.memos.get(mark) is not None:
                break
        self.context.memos.delete(mark)
        self._scanned_s = now

    def _now_and_then(self, now: float) -> None:
        if now - self._expired_s >= EXPIRE_EVERY_S:
            self._expired_s = now
            expire(self.context)
        if now - self._tidied_s >= TIDY_EVERY_S:
            self._tidied_s = now
            _count_freed(self.context, self.context.store.clean_up(ABANDONED_S), "debris")
        if now - self._scanned_s >= RESCAN_EVERY_S:
            self._scanned_s = now
            recover(self.context, self._holds)


def recover(context: Context, go_on: Callable[[], object] = lambda: None) -> int:
    """Queue each stored job that has not ended and is unknown to Redis, oldest first; note when each expires and who lists it; how many were queued.

    ``go_on`` is called every so often, to say that this is still being done.
    """
    unfinished: list[Manifest] = []
    page: list[Manifest] = []
    for manifest in context.store.manifests():
        page.append(manifest)
        if manifest.expires_at > context.clock() and _is_unfinished(context, manifest.id):
            unfinished.append(manifest)
        if len(page) >= PAGE:
            context.index.add(page)
            page = []
            go_on()
    context.index.add(page)
    queued = _queue_unknown(context, unfinished, go_on)
    if queued:
        log.info("%s unfinished jobs found in the store", queued)
    return queued


def _is_unfinished(context: Context, job_id: str) -> bool:
    try:
        return context.store.outcome(job_id) is None
    except errors.BackendUnavailable as error:
        log.warning("how job %s ended cannot be read: %s", job_id, error)
        return False


def _queue_unknown(context: Context, manifests: list[Manifest], go_on: Callable[[], object]) -> int:
    queued = 0
    batches: dict[str, Batch | None] = {}
    for number, manifest in enumerate(sorted(manifests, key=lambda each: each.created_at)):
        if number % PAGE == 0:
            go_on()
        if _is_unknown(context, manifest.id) and _is_acknowledged(context, manifest, batches):
            _make_known(context, Job(manifest, Status(seq=_safe_seq(context, manifest))))
            queued += 1
    return queued


def _is_unknown(context: Context, job_id: str) -> bool:
    """Nor erased since the store was read: looked up in this order, for whoever erases a job begins with the store (``conclude.erase``)."""
    if context.jobs.find(job_id) is not None:
        return False
    try:
        context.store.manifest(job_id)
    except errors.NotFound:
        return False
    return True


def _make_known(context: Context, job: Job) -> None:
    """One whose source is still to be fetched is in nobody's hands, so that somebody takes it up."""
    if job.manifest.is_awaited:
        context.fetch_leases.reserve(job, "", 0.0, limit=None)
    else:
        context.queue.enqueue(job, limit=None)


def _is_acknowledged(context: Context, manifest: Manifest, batches: dict[str, Batch | None]) -> bool:
    """A batch's record is written after all its jobs: where there is none, nobody was told of them (``flows.batch.accept``)."""
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


def expire(context: Context) -> int:
    """Erase what has outlived its retention; the bytes freed. What cannot be erased now stays for the next time and stops nothing else."""
    freed = 0
    while ids := context.index.expired(context.clock(), 200):
        erased = [_expired(context, job_id) for job_id in ids]
        freed += sum(each for each in erased if each is not None)
        if None in erased:
            break
    if context.uploads is not None:
        freed += sweep(context)
    _count_freed(context, freed, "retention")
    return freed


def _expired(context: Context, job_id: str) -> int | None:
    try:
        freed = context.store.erase(job_id)
    except errors.GatewayError as error:
        log.warning("job %s has expired and cannot be erased yet: %s", job_id, error)
        return None
    context.jobs.forget(job_id)
    return freed


def _count_freed(context: Context, freed_bytes: int, why: str) -> None:
    if freed_bytes:
        context.counters.add({tally.FREED_BYTES: freed_bytes})
        log.info("%s freed %s bytes", why, freed_bytes)


def _take_back_if_it_can_be(context: Context, job_id: str) -> None:
    """A store that fails for one job, or is full, must not keep the others waiting, nor the retention that makes room."""
    try:
        _take_back(context, job_id)
    except errors.GatewayError as error:
        log.warning("the encoder of job %s is lost, and the job cannot be taken back yet: %s", job_id, error)


def _take_back(context: Context, job_id: str) -> None:
    """An encoder is lost: its job may have ended in the store, else it goes to the next one, but not for ever."""
    try:
        job = stored(context, job_id)
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


def _top_up_tickets(context: Context) -> None:
    """Tickets may be lost with the encoder that had them; jobs that wait while encoders idle are the sign."""
    if context.queue.depth() and len(context.presence.encoders()) > context.leases.count():
        context.queue.top_up_tickets()


def _safe_seq(context: Context, manifest: Manifest) -> int:
    age_s = max(0.0, context.clock() - manifest.created_at)
    return 1 if age_s < 1 else SEQ_MARGIN + int(age_s * CHANGES_PER_S)
