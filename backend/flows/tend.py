"""Tend: what must happen by itself, done by one gateway process at a time.

Rebuild an empty Redis from the store; give the jobs of lost encoders to others; wake encoders that missed a message; erase what has expired.
Each duty is idempotent, so it does no harm if two processes do it for a moment.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from backend import errors
from backend.core import tally
from backend.core.job import MAX_ATTEMPTS, Job, Manifest, Status, failed
from backend.flows.conclude import conclude
from backend.flows.find import SEQ_MARGIN, stored
from backend.flows.uploads import sweep
from backend.flows.world import World

log = logging.getLogger(__name__)
DUTY_S = 3.0
"""The holder of the duty is succeeded this long after it died."""
EXPIRE_EVERY_S = 10.0
TIDY_EVERY_S = 300.0
RESCAN_EVERY_S = 300.0
ABANDONED_S = 3600.0
"""Half-written things untouched for so long belong to a process that died."""
CHANGES_PER_S = 12
"""More changes than a job can have in a second; bounds the ``seq`` that clients may have seen before the log was lost."""


@dataclass(slots=True)
class Caretaker:
    """Call ``tend`` about once a second."""

    world: World
    name: str
    _expired_s: float = field(default=0.0)
    _tidied_s: float = field(default=0.0)
    _scanned_s: float = field(default=0.0)

    def tend(self) -> None:
        """Raises ``BackendUnavailable`` when Redis or the store cannot be reached; simply call again."""
        jobs, now = self.world.jobs, self.world.clock()
        if not jobs.hold("caretaker", self.name, DUTY_S):
            return
        if jobs.epoch() is None:
            self._rebuild(now)
        for job_id in jobs.lost():
            _take_back(self.world, job_id)
        jobs.move()
        _wake(self.world)
        self._now_and_then(now)

    def _rebuild(self, now: float) -> None:
        """``begin_epoch`` comes last: a rebuild that was killed begins again."""
        recover(self.world)
        self.world.jobs.begin_epoch(self.name)
        self._scanned_s = now

    def _now_and_then(self, now: float) -> None:
        if now - self._expired_s >= EXPIRE_EVERY_S:
            self._expired_s = now
            expire(self.world)
        if now - self._tidied_s >= TIDY_EVERY_S:
            self._tidied_s = now
            self.world.store.tidy(ABANDONED_S)
        if now - self._scanned_s >= RESCAN_EVERY_S:
            self._scanned_s = now
            recover(self.world)


def recover(world: World) -> int:
    """Queue every stored job that has not ended and is unknown to Redis, and note when each is to be erased; how many were queued."""
    queued, expiries = 0, dict[str, float]()
    for manifest in world.store.jobs():
        expiries[manifest.id] = manifest.expires_at
        if manifest.expires_at > world.clock() and world.store.outcome(manifest.id) is None:
            world.jobs.enqueue(Job(manifest, Status(seq=_safe_seq(world, manifest))), limit=None)
            queued += 1
        if len(expiries) >= 500:
            world.jobs.expect(expiries)
            expiries = {}
    world.jobs.expect(expiries)
    if queued:
        log.info("%s unfinished jobs found in the store", queued)
    return queued


def expire(world: World) -> int:
    """Erase what has outlived its retention; the bytes freed."""
    freed = 0
    while ids := world.jobs.expired(world.clock(), 200):
        for job_id in ids:
            freed += world.store.erase(job_id)
            world.jobs.forget(job_id)
    if world.uploads is not None:
        freed += sweep(world)
    if freed:
        world.jobs.tally({tally.FREED_BYTES: freed})
        log.info("retention freed %s bytes", freed)
    return freed


def _take_back(world: World, job_id: str) -> None:
    """An encoder is lost: its job may have ended in the store, else it goes to the next one, but not for ever."""
    try:
        job = stored(world, job_id)
    except errors.NotFound:
        world.jobs.forget(job_id)
        return
    if job.status.has_ended:
        world.jobs.end(job)
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
