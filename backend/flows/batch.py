"""Several images as one batch: accept, find, follow and cancel them together."""

from __future__ import annotations

import base64
import hashlib
import logging
import threading
from collections.abc import Callable, Sequence

from backend import errors
from backend.core.batch import Batch, has_ended
from backend.core.job import Job
from backend.core.options import Options
from backend.flows import conclude, ingest, shares
from backend.flows.context import Context
from backend.flows.find_job import check_id, find, find_several
from backend.flows.follow import Follower
from backend.flows.ingest import Received, Sender
from backend.flows.unqueued import remember

log = logging.getLogger(__name__)
TELL_EVERY_S = 0.1
Tell = Callable[[list[Job]], None]


def accept(context: Context, images: Sequence[Received], options: Options, sender: Sender, *, batch_id: str | None = None) -> tuple[Batch, list[Job]]:
    """Make every image a job, or none of them. They are queued once all jobs, and then the batch, are on disk.

    With a ``batch_id`` from an ``Idempotency-Key`` the jobs' ids follow from it: two requests with one key make the jobs once.
    A process that dies before the batch is on disk leaves jobs without a batch; nobody runs them (``maintenance.recover``).
    """
    shares.check(context, sender.client, sender.limits, jobs=len(images))
    now = context.clock()
    ids = tuple(_derived_id(batch_id, number) if batch_id else context.new_id() for number, _ in enumerate(images))
    batch = Batch(batch_id or context.new_id(), ids, now, now + context.retention_s, sender.owner)
    kept: list[tuple[Job, bool]] = []
    try:
        for job_id, image in zip(ids, images, strict=True):
            kept.append(ingest.keep(context, image, options, sender, job_id=job_id, batch=batch.id))
        context.store.save_batch(batch)
        return batch, _queue_all(context, kept, sender)
    except errors.GatewayError:
        made = [job for job, is_new in kept if is_new]
        if made:
            _forget(context, batch.id)
        for job in made:
            _erase_kept(context, job)
        raise


def _queue_all(context: Context, kept: Sequence[tuple[Job, bool]], sender: Sender) -> list[Job]:
    """Once Redis is out of reach the others are not tried: each try of a server that hangs takes two seconds. Raises as ``ingest.queue``."""
    jobs: list[Job] = []
    is_away = False
    for job, is_new in kept:
        if is_new and is_away:
            remember(context, job.id)
        jobs.append(ingest.queue(context, job, sender.limits) if is_new and not is_away else job)
        is_away = is_away or (is_new and job.id in context.unqueued.ids)
    return jobs


def _derived_id(batch_id: str, number: int) -> str:
    """128 bits that cannot be guessed without the batch's id."""
    digest = hashlib.sha256(f"{batch_id} {number}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def _forget(context: Context, batch_id: str) -> None:
    """First of all: neither may a client that comes again with its ``Idempotency-Key`` find it empty, nor a receiver hear that it has ended."""
    try:
        context.store.erase_batch(batch_id)
    except errors.GatewayError as error:
        log.warning("the refused batch %s is left in the store: %s", batch_id, error)


def _erase_kept(context: Context, job: Job) -> None:
    try:
        conclude.erase(context, job)
    except errors.GatewayError as error:
        log.warning("job %s of a refused batch is left in the store: %s", job.id, error)


def find_batch(context: Context, batch_id: str, owner: str) -> tuple[Batch, list[Job]]:
    """Raises ``NotFound``: unknown, expired and somebody else's look the same."""
    check_id(batch_id)
    batch = context.store.batch(batch_id)
    if batch.owner != owner or batch.expires_at <= context.clock():
        raise errors.NotFound()
    return batch, jobs_of(context, batch)


def jobs_of(context: Context, batch: Batch) -> list[Job]:
    found = find_several(context, batch.jobs, batch.owner)
    return [found[job_id] for job_id in batch.jobs if job_id in found]


def cancel(context: Context, jobs: Sequence[Job]) -> list[Job]:
    """Cancel the jobs that have not ended; all jobs as they are then."""
    ended = []
    for job in jobs:
        try:
            ended.append(conclude.cancel(context, job))
        except (errors.AlreadyFinished, errors.NotFound):
            ended.append(job if job.status.has_ended else find(context, job.id, job.manifest.owner))
    return ended


class BatchWatch:
    """One watcher of a batch. ``tell`` gets all jobs of the batch at most ten times a second, and always after the last change."""

    def __init__(self, context: Context, follower: Follower, batch: Batch, tell: Tell) -> None:
        self._context, self._follower, self._batch, self._tell = context, follower, batch, tell
        self._jobs: dict[str, Job] = {}
        self._told_s = 0.0
        self._is_due = self._is_closed = False

    def begin(self) -> list[Job]:
        """Start to follow; the jobs as they are now."""
        for job_id in self._batch.jobs:
            try:
                self._jobs[job_id] = self._follower.follow(job_id, self._on_change, owner=self._batch.owner)
            except errors.NotFound:
                continue
        return self.jobs()

    def jobs(self) -> list[Job]:
        return list(self._jobs.values())

    def close(self) -> None:
        self._is_closed = True
        for job_id in self._batch.jobs:
            self._follower.unfollow(job_id, self._on_change)

    def _on_change(self, job: Job) -> None:
        known = self._jobs.get(job.id)
        if known is None or known.status.seq < job.status.seq:
            self._jobs[job.id] = job
        left_s = self._told_s + TELL_EVERY_S - self._context.clock()
        if left_s <= 0 or has_ended(self.jobs()):
            self._tell_now()
        elif not self._is_due:
            self._is_due = True
            timer = threading.Timer(left_s, self._tell_late)
            timer.daemon = True
            timer.start()

    def _tell_late(self) -> None:
        if self._is_due:
            self._tell_now()

    def _tell_now(self) -> None:
        self._is_due = False
        self._told_s = self._context.clock()
        if not self._is_closed:
            self._tell(self.jobs())
