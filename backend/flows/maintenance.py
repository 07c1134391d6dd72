"""Maintenance: what must happen by itself, done by one gateway process at a time.

Rebuild an empty Redis from the store; give the jobs of lost encoders to others; replace tickets that were lost; erase what has expired.
Each task is idempotent, so it does no harm if two processes do it for a moment.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from backend import errors
from backend.core import tally
from backend.core.batch import Batch
from backend.core.job import MAX_LOSSES, Job, Manifest, Status, failed
from backend.flows import webhooks
from backend.flows.conclude import conclude, end_for_receiver
from backend.flows.context import Context
from backend.flows.fetch import Fetcher
from backend.flows.find_job import SEQ_MARGIN, find_stored
from backend.flows.sweep_uploads import count_unfinished, sweep

log = logging.getLogger(__name__)
DUTY = "caretaker"
"""The Janitor's name in Redis. It stays, so that processes of two versions share one duty."""
DUTY_S = 3.0
"""Another process takes over this long after the Janitor died."""
EXPIRE_EVERY_S = 10.0
TIDY_EVERY_S = 300.0
RESCAN_EVERY_S = 300.0
REBUILD_MARK_S = 3600
ABANDONED_S = 3600.0
"""Half-written files that nobody has touched for so long belong to a process that died."""
PAGE = 500
STORE_FAILURES = 3
CHANGES_PER_S = 12
"""More changes than a job can have in a second; bounds the ``seq`` that clients may have seen before the log was lost."""


@dataclass(slots=True)
class Janitor:
    """Call ``maintain`` about once a second."""

    context: Context
    name: str
    fetcher: Fetcher | None = None
    _expired_s: float = field(default=0.0)
    _tidied_s: float = field(default=0.0)
    _scanned_s: float = field(default=0.0)

    def maintain(self) -> None:
        """Do what is due, if the duty is ours. Raises ``BackendUnavailable`` when Redis or the store cannot be reached; call again then."""
        context, now = self.context, self.context.clock()
        if not self._acquire_duty():
            return
        if context.duties.epoch() is None:
            self._rebuild(now)
        _take_back_expired(context)
        if self.fetcher is not None:
            for job_id in context.fetch_leases.expired():
                self.fetcher.take_over(job_id)
        context.queue.publish_positions()
        _top_up_tickets(context)
        self._do_periodic(now)

    def _acquire_duty(self) -> bool:
        return self.context.duties.acquire(DUTY, self.name, DUTY_S)

    def _rebuild(self, now: float) -> None:
        """Queue what the store knows, and begin the epoch last: a rebuild that is killed is done again.

        The memo finds out whether Redis became empty once more meanwhile; then the rebuild begins again too.
        """
        mark = f"rebuild:{self.name}:{now}"
        while True:
            self.context.memos.put_if_absent(mark, self.name, REBUILD_MARK_S)
            recover(self.context, self._acquire_duty)
            self.context.duties.begin_epoch(self.name)
            if self.context.memos.get(mark) is not None:
                break
        self.context.memos.delete(mark)
        self._scanned_s = now

    def _do_periodic(self, now: float) -> None:
        if now - self._expired_s >= EXPIRE_EVERY_S:
            self._expired_s = now
            expire(self.context)
        if now - self._tidied_s >= TIDY_EVERY_S:
            self._tidied_s = now
            _count_freed(self.context, self.context.store.clean_up(ABANDONED_S), "debris")
        if now - self._scanned_s >= RESCAN_EVERY_S:
            self._scanned_s = now
            recover(self.context, self._acquire_duty)


def recover(context: Context, go_on: Callable[[], object] = lambda: None) -> int:
    """Queue each stored job that has not ended and is unknown to Redis, oldest first, index all jobs, and see to webhooks; how many were queued.

    ``go_on`` is called every now and then, so that the caller can renew its duty.
    """
    unfinished: list[Manifest] = []
    with_webhook: list[Manifest] = []
    page: list[Manifest] = []
    for manifest in context.store.manifests():
        page.append(manifest)
        if manifest.expires_at > context.clock() and _is_unfinished(context, manifest.id):
            unfinished.append(manifest)
        elif manifest.expires_at > context.clock() and manifest.webhook_url:
            with_webhook.append(manifest)
        if len(page) >= PAGE:
            context.index.add(page)
            page = []
            go_on()
    context.index.add(page)
    queued = _queue_unknown(context, unfinished, go_on)
    if context.uploads is not None:
        count_unfinished(context)
    if with_webhook or context.sends_webhooks:
        webhooks.recover(context.store, context.deliveries, context.receiver, with_webhook, go_on)
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
    """Whether Redis does not know a job that is still in the store. Looked up in this order, since ``conclude.erase`` begins with the store."""
    if context.jobs.find(job_id) is not None:
        return False
    try:
        context.store.manifest(job_id)
    except errors.NotFound:
        return False
    return True


def _make_known(context: Context, job: Job) -> None:
    """Queue a job; one whose source is still to be fetched is reserved with a lease that has run out, so that a fetcher takes it over.

    How often its fetch has begun is lost with Redis. It counts as once: it may be what killed the process, and Redis too.
    """
    if job.manifest.is_awaited:
        context.fetch_leases.reserve(job, "", 0.0, limit=None, begun=1)
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


def expire(context: Context) -> int:
    """Erase what has outlived its retention; the bytes freed. What cannot be erased now stays for the next time, and keeps nothing else."""
    freed = 0
    while ids := context.index.expired(context.clock(), 200):
        erased = [_erase_expired(context, job_id) for job_id in ids]
        freed += sum(each for each in erased if each is not None)
        if None in erased:
            break
    if context.uploads is not None:
        freed += sweep(context)
    _count_freed(context, freed, "retention")
    return freed


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


def _count_freed(context: Context, freed_bytes: int, why: str) -> None:
    if freed_bytes:
        context.counters.add({tally.FREED_BYTES: freed_bytes})
        log.info("%s freed %s bytes", why, freed_bytes)


def _take_back_expired(context: Context) -> None:
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


def _top_up_tickets(context: Context) -> None:
    """Tickets may be lost with the encoder that had them; jobs that wait while encoders idle are the sign."""
    if context.queue.depth() and len(context.presence.encoders()) > context.leases.count():
        context.queue.top_up_tickets()


def _safe_seq(context: Context, manifest: Manifest) -> int:
    age_s = max(0.0, context.clock() - manifest.created_at)
    return 1 if age_s < 1 else SEQ_MARGIN + int(age_s * CHANGES_PER_S)
