"""Encode: take the next job, convert it, commit the result once. Runs in an encoder process.

While the codec works, the encoder renews its lease; when a lease has run out, the job goes to another encoder. The answer to a renewal says
whether the job is still wanted. The encoder renews once a second, and at once when it hears of a cancellation (``ports.Cancellations``). Where it
cannot hear of any, it renews ten times a second. So a cancellation reaches the child after about a tenth of a second.

Progress is reported ten times a second while somebody is subscribed, and less often otherwise.
"""

from __future__ import annotations

import logging
import time

from backend import errors
from backend.core.conversion import REPORT_EVERY_S, Conversion, Converted, Stopped
from backend.core.job import Job, Result, failed, succeeded
from backend.flows.context import Context
from backend.flows.deduplicate import share_result
from backend.flows.finish import finish
from backend.flows.report import LEASE_S, Reporter
from backend.ports.blob import Blob
from backend.ports.codec import Codec
from backend.ports.queue import Claim, OnlyNewer
from backend.ports.result_files import ResultFile

log = logging.getLogger(__name__)
TICK_S = 0.06
"""How often the codec asks whether to stop. So late at most is a report sent that came too soon after the one before it."""
EPHEMERAL_TICK_S = 0.15
"""The same for an ephemeral job: whether its client has left is looked up once a second, so more often is no use."""
EPHEMERAL_REPORT_EVERY_S = 0.4
"""How often the child of an ephemeral job reports progress, which only followers see."""
ROOM_PATIENCE_S = 60.0
"""How long an encoder waits for disk space to store how its job ended. After that another encoder begins the job again."""
ROOM_LOOK_S = 0.2
NEWER_PAUSE_S = 1.0
"""How long an encoder leaves the queue alone that found only jobs for a newer release in it."""


def encode_next(context: Context, codec: Codec, token: str) -> bool:
    """Encode one job from the queue; False when none waits.

    Where all that wait need a newer release, pause: the tickets of those jobs come again and again until an encoder of that release is there.
    """
    try:
        claim = context.queue.take(token, LEASE_S)
    except OnlyNewer:
        time.sleep(NEWER_PAUSE_S)
        return False
    if claim is not None:
        encode(context, codec, claim)
    return claim is not None


def encode_express(context: Context, codec: Codec, token: str, job_id: str) -> bool:
    """Encode this job beyond the encoders; False when it waits for its turn, or no longer."""
    claim = context.queue.take_express(job_id, token, LEASE_S)
    if claim is not None:
        encode(context, codec, claim)
    return claim is not None


def encode(context: Context, codec: Codec, claim: Claim) -> None:
    """Encode a job and commit how it ended. A job that is gone, or whose end cannot be stored, ends no encoder: its lease runs out."""
    reporter = Reporter(context, claim)
    try:
        job = _known_end(context, claim) or _convert(context, codec, claim, reporter)
        _finish_with_patience(context, job, reporter, claim.token)
    except (errors.NotFound, Stopped):
        log.info("job %s is no longer wanted", claim.job.id)
    except (errors.StorageFull, errors.BackendUnavailable) as error:
        log.warning("how job %s ended could not be stored, so it will be tried again: %s", claim.job.id, error)


def _known_end(context: Context, claim: Claim) -> Job | None:
    """An end that needs no encode: the job's own, where Redis fell back to an older state, or a duplicate's result."""
    outcome = context.store.outcome(claim.job.id)
    if outcome is not None:
        return claim.job.at(outcome)
    return share_result(context, claim.job, claim.token, claim.duplicates)


def _finish_with_patience(context: Context, job: Job, reporter: Reporter, token: str) -> None:
    """A full disk has no room for the end either: wait for some, while the job is still ours."""
    begun = context.clock()
    while True:
        try:
            finish(context, job, token)
            return
        except errors.StorageFull:
            if reporter.is_unwanted() or context.clock() - begun > ROOM_PATIENCE_S:
                raise
            time.sleep(ROOM_LOOK_S)


def _convert(context: Context, codec: Codec, claim: Claim, reporter: Reporter) -> Job:
    """Run the codec and store its result; the job as it should end. Raises ``Stopped``, and ``NotFound`` when the job was erased meanwhile."""
    source = context.store.open_source(claim.job.id)
    try:
        target, converted = _convert_into_target(context, codec, claim, source, reporter)
    except errors.NotFound:
        raise
    except errors.GatewayError as error:
        return _fail(context, claim.job, reporter, error)
    finally:
        source.close()
    return _store_result(context, claim.job, target, converted, reporter)


def _convert_into_target(context: Context, codec: Codec, claim: Claim, source: Blob, reporter: Reporter) -> tuple[ResultFile, Converted]:
    target = context.store.create_result(claim.job.id, claim.token)
    try:
        return target, codec.convert(
            source.fileno(),
            target.fd,
            _conversion(context, claim.job),
            on_progress=reporter.report_progress,
            should_stop=reporter.is_unwanted,
            tick_s=EPHEMERAL_TICK_S if claim.job.manifest.is_ephemeral else TICK_S,
        )
    except BaseException:
        target.discard()
        raise


def _conversion(context: Context, job: Job) -> Conversion:
    every_s = EPHEMERAL_REPORT_EVERY_S if job.manifest.is_ephemeral else REPORT_EVERY_S
    return Conversion(job.manifest.source.shape, job.manifest.options, context.limits, float(context.encode_timeout_s), every_s)


def _store_result(context: Context, job: Job, target: ResultFile, converted: Converted, reporter: Reporter) -> Job:
    """Make the result durable; the job as it should end. Raises as ``_convert``."""
    try:
        reporter.report_storing()
        return job.at(succeeded(reporter.status, _keep(context, job, target, converted), context.clock()))
    except errors.NotFound:
        target.discard()
        raise
    except errors.GatewayError as error:
        target.discard()
        return _fail(context, job, reporter, error)
    except BaseException:
        target.discard()
        raise


def _fail(context: Context, job: Job, reporter: Reporter, error: errors.GatewayError) -> Job:
    log.info("job %s failed: %s", job.id, error, extra={"fields": {"request": job.manifest.request_id}})
    return job.at(failed(reporter.status, error, context.clock()))


def _keep(context: Context, job: Job, target: ResultFile, converted: Converted) -> Result:
    begun = context.clock()
    file, sha256 = target.save(durable=not job.manifest.is_ephemeral)
    facts = converted.facts
    if "seconds" in facts:
        facts = {**facts, "seconds": {**facts["seconds"], "store": round(context.clock() - begun, 4)}}
    sides = converted.width, converted.height
    image_format = job.manifest.source.format if "original" in facts else job.manifest.options.format
    return Result(file, converted.bytes, sha256, *sides, converted.frames, image_format, facts)
