"""Tend: what must happen by itself, done by one gateway process at a time.

Rebuild an empty Redis from the store; give the jobs of lost encoders to others; wake encoders that missed a message; erase what has expired.
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
from backend.flows.fetch import Fetcher
from backend.flows.find import SEQ_MARGIN, stored
from backend.flows.uploads import sweep
from backend.flows.world import World

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
class Caretaker:
    """Call ``tend`` about once a second."""

    world: World
    name: str
    fetcher: Fetcher | None = None
    _expired_s: float = field(default=0.0)
    _tidied_s: float = field(default=0.0)
    _scanned_s: float = field(default=0.0)

    def tend(self) -> None:
        """Raises ``BackendUnavailable`` when Redis or the store cannot be reached; simply call again."""
        jobs, now = self.world.jobs, self.world.clock()
        if not self._holds():
            return
        if jobs.epoch() is None:
            self._rebuild(now)
        for job_id in jobs.lost():
            _take_back_if_it_can_be(self.world, job_id)
        if self.fetcher is not None:
            for job_id in jobs.unfetched():
                self.fetcher.take_over(job_id)
        jobs.move()
        _wake(self.world)
        self._now_and_then(now)

    def _holds(self) -> bool:
        return self.world.jobs.hold("caretaker", self.name, DUTY_S)

    def _rebuild(self, now: float) -> None:
        """The epoch begins last, so a rebuild that was killed is done again; so is one in whose midst Redis became empty once more."""
        mark = f"rebuild:{self.name}:{now}"
        while True:
            self.world.jobs.remember(mark, self.name, REBUILD_MARK_S)
            recover(self.world, self._holds)
            self.world.jobs.begin_epoch(self.name)
            if self.world.jobs.recall(mark) is not None:
                break
        self.world.jobs.release(mark)
        self._scanned_s = now

    def _now_and_then(self, now: float) -> None:
        if now - self._expired_s >= EXPIRE_EVERY_S:
            self._expired_s = now
            expire(self.world)
        if now - self._tidied_s >= TIDY_EVERY_S:
            self._tidied_s = now
            _count_freed(self.world, self.world.store.tidy(ABANDONED_S), "debris")
        if now - self._scanned_s >= RESCAN_EVERY_S:
            self._scanned_s = now
            recover(self.world, self._holds)


def recover(world: World, go_on: Callable[[], object] = lambda: None) -> int:
    """Queue each stored job that has not ended and is unknown to Redis, oldest first; note when each expires and who lists it; how many were queued.

    ``go_on`` is called every so often, to say that this is still being done.
    """
    unfinished: list[Manifest] = []
    page: list[Manifest] = []
    for manifest in world.store.jobs():
        page.append(manifest)
        if manifest.expires_at > world.clock() and _is_unfinished(world, manifest.id):
            unfinished.append(manifest)
        if len(page) >= PAGE:
            world.jobs.expect(page)
            page = []
            go_on()
    world.jobs.expect(page)
    queued = _queue_unknown(world, unfinished, go_on)
    if queued:
        log.info("%s unfinished jobs found in the store", queued)
    return queued


def _is_unfinished(world: World, job_id: str) -> bool:
    try:
        return world.store.outcome(job_id) is None
    except errors.BackendUnavailable as error:
        log.warning("how job %s ended cannot be read: %s", job_id, error)
        return False


def _queue_unknown(world: World, manifests: list[Manifest], go_on: Callable[[], object]) -> int:
    queued = 0
    batches: dict[str, Batch | None] = {}
    for number, manifest in enumerate(sorted(manifests, key=lambda each: each.created_at)):
        if number % PAGE == 0:
            go_on()
        if _is_unknown(world, manifest.id) and _is_acknowledged(world, manifest, batches):
            _make_known(world, Job(manifest, Status(seq=_safe_seq(world, manifest))))
            queued += 1
    return queued


def _is_unknown(world: World, job_id: str) -> bool:
    """Nor erased since the store was read: looked up in this order, for whoever erases a job begins with the store (``conclude.erase``)."""
    if world.jobs.find(job_id) is not None:
        return False
    try:
        world.store.manifest(job_id)
    except errors.NotFound:
        return False
    return True


def _make_known(world: World, job: Job) -> None:
    """One whose source is still to be fetched is in nobody's hands, so that somebody takes it up."""
    if job.manifest.is_awaited:
        world.jobs.promise(job, "", 0.0, limit=None)
    else:
        world.jobs.enqueue(job, limit=None)


def _is_acknowledged(world: World, manifest: Manifest, batches: dict[str, Batch | None]) -> bool:
    """A batch's record is written after all its jobs: where there is none, nobody was told of them (``flows.batch.accept``)."""
    if manifest.batch is None:
        return True
    if manifest.batch not in batches:
        try:
            batches[manifest.batch] = world.store.batch(manifest.batch)
        except errors.NotFound:
            batches[manifest.batch] = None
    if batches[manifest.batch] is not None:
        return True
    if world.clock() - manifest.created_at > ABANDONED_S:
        log.info("job %s of a batch that never came about is erased", manifest.id)
        world.store.erase(manifest.id)
    return False


def expire(world: World) -> int:
    """Erase what has outlived its retention; the bytes freed. What cannot be erased now stays for the next time and stops nothing else."""
    freed = 0
    while ids := world.jobs.expired(world.clock(), 200):
        erased = [_expired(world, job_id) for job_id in ids]
        freed += sum(each for each in erased if each is not None)
        if None in erased:
            break
    if world.uploads is not None:
        freed += sweep(world)
    _count_freed(world, freed, "retention")
    return freed


def _expired(world: World, job_id: str) -> int | None:
    try:
        freed = world.store.erase(job_id)
    except errors.GatewayError as error:
        log.warning("job %s has expired and cannot be erased yet: %s", job_id, error)
        return None
    world.jobs.forget(job_id)
    return freed


def _count_freed(world: World, freed_bytes: int, why: str) -> None:
    if freed_bytes:
        world.jobs.tally({tally.FREED_BYTES: freed_bytes})
        log.info("%s freed %s bytes", why, freed_bytes)


def _take_back_if_it_can_be(world: World, job_id: str) -> None:
    """A store that fails for one job, or is full, must not keep the others waiting, nor the retention that makes room."""
    try:
        _take_back(world, job_id)
    except errors.GatewayError as error:
        log.warning("the encoder of job %s is lost, and the job cannot be taken back yet: %s", job_id, error)


def _take_back(world: World, job_id: str) -> None:
    """An encoder is lost: its job may have ended in the store, else it goes to the next one, but not for ever."""
    try:
        job = stored(world, job_id)
    except errors.NotFound:
        world.jobs.forget(job_id)
        return
    if job.status.has_ended:
        conclude(world, job)
        return
    live = world.jobs.find(job_id)
    if live is not None and live.status.attempt >= MAX_ATTEMPTS:
        conclude(world, live.at(failed(live.status, errors.Internal("encoder_lost", attempts=live.status.attempt), world.clock())))
        return
    log.warning("the encoder of job %s is lost; the job is queued again", job_id)
    world.jobs.requeue(job_id)


def _wake(world: World) -> None:
    """Messages to encoders may be lost; jobs that wait while encoders idle are the sign."""
    waiting, idle = world.jobs.queued(), len(world.jobs.encoders()) - world.jobs.running()
    if waiting and idle > 0:
        world.encoders.wake(min(waiting, idle))


def _safe_seq(world: World, manifest: Manifest) -> int:
    age_s = max(0.0, world.clock() - manifest.created_at)
    return 1 if age_s < 1 else SEQ_MARGIN + int(age_s * CHANGES_PER_S)
