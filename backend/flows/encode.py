"""Encode: take the next job, convert it, commit the result once. Runs in an encoder process.

While the codec works, its lease is renewed; when a lease has run out, the job goes to another encoder. The answer to a renewal says whether the job
is still wanted. The encoder asks once a second, and at once when it hears of a cancellation (``ports.Cancellations``); where it cannot hear of any,
ten times a second. So a cancel reaches the child after about a tenth of a second.

Progress is told ten times a second as long as anybody listens, and less often else: each report costs more than what it tells of.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from backend import errors
from backend.core.conversion import REPORT_EVERY_S, Conversion, Converted, Progress, Stopped
from backend.core.job import Job, Result, failed, succeeded
from backend.flows import deduplicate
from backend.flows.context import Context
from backend.flows.finish import finish
from backend.ports.blob import Blob
from backend.ports.codec import Codec
from backend.ports.queue import Claim
from backend.ports.result_files import ResultFile

log = logging.getLogger(__name__)
Finish = Callable[[], None]
Later = Callable[[Finish, Callable[[], object]], None]
End = Callable[[], Job]
"""Makes the result durable; the job as it should end."""
LEASE_S = 4.0
TICK_S = 0.06
"""So late at most is a report told that came too soon after the one before it."""
HEARTBEAT_S = 1.0
"""How often the lease is renewed."""
DEAF_HEARTBEAT_S = 0.1
"""The same where stops are not heard of, so that a cancel is."""
REPORT_INTERVAL_S = 0.105
"""At most ten changes a second for one job (the contract), with a little room for jitter."""
UNHEARD_INTERVAL_S = 0.15
"""The same while nobody listens: whoever asks now and then, or comes later, is told of what is no older."""
PASSING_INTERVAL_S = 1.0
"""A passing job's progress is told to nobody, unless another job runs along with it."""
PASSING_REPORT_EVERY_S = 0.4
"""How often its child is to say how far it is, and"""
PASSING_TICK_S = 0.15
"""how often that is looked for. Whoever waits for a passing job may leave, and is looked after once a second: that needs not be heard sooner."""
STORE_PERCENT = 99
ETA_FROM_PERCENT = 3
"""Before, an estimate would be a guess."""
ROOM_PATIENCE_S = 60.0
"""How long an encoder waits for room to write down how its job ended; then the job is begun again by whoever comes next."""
ROOM_LOOK_S = 0.2
CODEC_SHARE = 0.98
"""The codec's 100 % is this share of the job; the rest is making it durable."""


def _at_once(rest: Finish, _renew: object) -> None:
    rest()


def encode_next(context: Context, codec: Codec, token: str, later: Later = _at_once) -> bool:
    """One job from the queue; False when none waits. ``later``: as ``encode`` has it."""
    claim = context.queue.take(token, LEASE_S)
    if claim is not None:
        encode(context, codec, claim, later)
    return claim is not None


def encode(context: Context, codec: Codec, claim: Claim, later: Later = _at_once) -> None:
    """``later`` is given what remains once the codec is done, which waits for the disk: to be called at once, or beside the next job's encode. Until
    then it calls the other thing it is given ten times a second, so that the lease is renewed in time. A passing job, whose end somebody waits for
    and which is not synced, is finished here.
    """
    reporter = Reporter(context, claim)
    with _minded(claim.job):
        known = _ended_before(context, claim.job) or deduplicate.share_result(context, claim.job, claim.token, claim.duplicates)
        end = _known(known) if known is not None else _encoded(context, codec, claim, reporter)
        rest = partial(_finish, context, claim, reporter, end)
        if claim.job.manifest.is_ephemeral:
            rest()
        else:
            later(rest, reporter.is_unwanted)


def _finish(context: Context, claim: Claim, reporter: Reporter, end: End) -> None:
    with _minded(claim.job):
        _conclude(context, end(), reporter, claim.token)


@contextmanager
def _minded(job: Job) -> Iterator[None]:
    try:
        yield
    except (errors.NotFound, Stopped):
        log.info("job %s is no longer wanted", job.id)
    except (errors.StorageFull, errors.BackendUnavailable) as error:
        log.warning("how job %s ended could not be stored, so it will be tried again: %s", job.id, error)


def _known(job: Job) -> End:
    return lambda: job


def _ended_before(context: Context, job: Job) -> Job | None:
    """A Redis that fell back to an older state may hand out what has ended since."""
    outcome = context.store.outcome(job.id)
    return job.at(outcome) if outcome is not None else None


def _conclude(context: Context, job: Job, reporter: Reporter, token: str) -> None:
    """A full disk has no room for the end either: wait for some, with the job still held."""
    begun = context.clock()
    while True:
        try:
            finish(context, job, token)
            return
        except errors.StorageFull:
            if reporter.is_unwanted() or context.clock() - begun > ROOM_PATIENCE_S:
                raise
            time.sleep(ROOM_LOOK_S)


def _encoded(context: Context, codec: Codec, claim: Claim, reporter: Reporter) -> End:
    """Raises ``Stopped``, and ``NotFound`` when the job was erased meanwhile."""
    source = context.store.open_source(claim.job.id)
    try:
        target, converted = _converted(context, codec, claim, source, reporter)
    except errors.NotFound:
        raise
    except errors.GatewayError as error:
        return _known(_failed(context, claim.job, reporter, error))
    finally:
        source.close()
    return partial(_stored, context, claim.job, target, converted, reporter)


def _converted(context: Context, codec: Codec, claim: Claim, source: Blob, reporter: Reporter) -> tuple[ResultFile, Converted]:
    target = context.store.create_result(claim.job.id, claim.token)
    try:
        return target, codec.convert(
            source.fileno(),
            target.fd,
            _conversion(context, claim.job),
            on_progress=reporter.progressed,
            should_stop=reporter.is_unwanted,
            tick_s=PASSING_TICK_S if claim.job.manifest.is_ephemeral else TICK_S,
        )
    except BaseException:
        target.discard()
        raise


def _stored(context: Context, job: Job, target: ResultFile, converted: Converted, reporter: Reporter) -> Job:
    """The job as it should end. Raises as ``_encoded``."""
    try:
        reporter.storing()
        return job.at(succeeded(reporter.status, _kept(context, job, target, converted), context.clock()))
    except errors.NotFound:
        target.discard()
        raise
    except errors.GatewayError as error:
        target.discard()
        return _failed(context, job, reporter, error)
    except BaseException:
        target.discard()
        raise


def _failed(context: Context, job: Job, reporter: Reporter, error: errors.GatewayError) -> Job:
    log.info("job %s failed: %s", job.id, error, extra={"fields": {"request": job.manifest.request_id}})
    return job.at(failed(reporter.status, error, context.clock()))


def _conversion(context: Context, job: Job) -> Conversion:
    every_s = PASSING_REPORT_EVERY_S if job.manifest.is_ephemeral else REPORT_EVERY_S
    return Conversion(job.manifest.source.shape, job.manifest.options, context.limits, float(context.encode_timeout_s), every_s)


def _kept(context: Context, job: Job, target: ResultFile, converted: Converted) -> Result:
    begun = context.clock()
    file, sha256 = target.save(durable=not job.manifest.is_ephemeral)
    facts = converted.facts
    if "seconds" in facts:
        facts = {**facts, "seconds": {**facts["seconds"], "store": round(context.clock() - begun, 4)}}
    sides = converted.width, converted.height
    return Result(file, converted.bytes, sha256, *sides, converted.frames, job.manifest.options.format, facts)


class Reporter:
    """Carries the codec's progress to the job, no more often than the contract allows, and hears whether to go on."""

    def __init__(self, context: Context, claim: Claim) -> None:
        self.status = claim.job.status
        self._from_percent = claim.job.status.progress
        self._context, self._taken = context, claim
        self._wanted: Progress | None = None
        self._told_s = self._renewed_s = context.clock()
        self._quiet_interval_s = PASSING_INTERVAL_S if claim.job.manifest.is_ephemeral else UNHEARD_INTERVAL_S
        self._interval_s = PASSING_INTERVAL_S if claim.job.manifest.is_ephemeral else REPORT_INTERVAL_S
        self._is_unwanted = False

    def progressed(self, progress: Progress) -> None:
        self._wanted = progress
        self._tell()

    def storing(self) -> None:
        """A passing job's last moments are told to nobody: its end follows at once, and somebody waits for that."""
        if self._taken.job.manifest.is_ephemeral:
            if self._is_unwanted:
                raise Stopped()
            return
        self.status = replace(self.status, stage="store", progress=STORE_PERCENT, eta_s=None)
        self._report({"stage": "store", "progress": STORE_PERCENT, "eta_s": None})
        if self._is_unwanted:
            raise Stopped()

    def is_unwanted(self) -> bool:
        self._tell()
        cancellations = self._context.cancellations
        patience_s = HEARTBEAT_S if cancellations is not None and cancellations.are_heard() else DEAF_HEARTBEAT_S
        if self._context.clock() - self._renewed_s >= patience_s or (cancellations is not None and cancellations.is_cancelled(self._taken.token)):
            self._report({})
        return self._is_unwanted

    def _tell(self) -> None:
        now = self._context.clock()
        if self._wanted is None or now - self._told_s < self._interval_s:
            return
        stage, percent = self._wanted.stage, max(self.status.progress, self._percent(self._wanted.percent))
        self._wanted = None
        if (stage, percent) == (self.status.stage, self.status.progress):
            return
        self._told_s = now
        self.status = replace(self.status, stage=stage, progress=percent, eta_s=self._eta_s(percent, now))
        self._report({"stage": stage, "progress": percent, "eta_s": self.status.eta_s})

    def _percent(self, codec_percent: float) -> int:
        """The codec's way lies between what the fetching of the source took and what storing takes."""
        return int(self._from_percent + codec_percent * (CODEC_SHARE - self._from_percent / 100))

    def _eta_s(self, percent: int, now: float) -> float | None:
        started = self.status.started_at
        if started is None or percent < ETA_FROM_PERCENT:
            return None
        return round((now - started) * (100 - percent) / percent, 1)

    def _report(self, patch: dict[str, object]) -> None:
        """An unreachable Redis stops no encode: the store will take the result, and the end is announced later."""
        self._renewed_s = self._context.clock()
        try:
            reported = self._context.leases.report(self._taken.job.id, self._taken.token, patch, LEASE_S)
            if reported is None:
                self._adopt()
                return
            self._is_unwanted = reported.seq == 0
            self.status = replace(self.status, seq=reported.seq or self.status.seq)
            if patch:
                self._interval_s = REPORT_INTERVAL_S if reported.listeners else self._quiet_interval_s
        except errors.BackendUnavailable as error:
            log.warning("job %s goes on unheard: %s", self._taken.job.id, error.private)

    def _adopt(self) -> None:
        """Redis knows nothing of the job: it was erased, or Redis began empty. The store tells which."""
        job = self._taken.job
        try:
            self._context.store.manifest(job.id)
            is_over = self._context.store.outcome(job.id) is not None
        except errors.NotFound:
            is_over = True
        self._is_unwanted = is_over or not self._context.leases.readopt(Claim(job.at(self.status), self._taken.token), LEASE_S)
