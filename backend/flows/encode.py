"""Encode: take the next job, convert it, commit the result once. Runs in an encoder process.

While the codec works, the encoder renews its lease; when a lease has run out, the job goes to another encoder. The answer to a renewal says
whether the job is still wanted. The encoder renews once a second, and at once when it hears of a cancellation (``ports.Cancellations``). Where it
cannot hear of any, it renews ten times a second. So a cancellation reaches the child after about a tenth of a second.

Progress is reported ten times a second while somebody is subscribed, and otherwise once a second, with the lease. The answer to a report says
how many heard it. An encoder hears of somebody who subscribes later (``Leases.announce_watcher``), and reports at once.


A job ends by what its image or its options did. What the world did (the store, the disk, this machine) ends none: the encoder tries for about as long
as another encode would take, then puts the job off, and any encoder may try again (``core.pauses``).
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence
from typing import Literal

from backend import errors
from backend.core import effort
from backend.core.conversion import REPORT_EVERY_S, ChildDied, Conversion, Converted, Stopped
from backend.core.job import Job, Source, failed, succeeded
from backend.core.pauses import DEATH_PAUSES_S, MAX_ATTEMPTS, WORLD_PAUSES_S
from backend.flows import watermarks
from backend.flows.context import Context
from backend.flows.deduplicate import share_result
from backend.flows.finish import finish
from backend.flows.report import LEASE_S, LeaseKeeper, Reporter
from backend.flows.store_result import VariantFiles, store_result, with_patience
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
READ_BYTES = 1 << 20
NEWER_PAUSE_S = 1.0
"""How long an encoder leaves the queue alone that found only jobs for a newer release in it."""
Turn = Literal["none", "done", "put off"]
"""What came of a turn: there was no job, it ended (or nobody wants it any more), or the world kept it from its end."""


def encode_next(context: Context, codec: Codec, token: str, keeper: LeaseKeeper | None = None) -> Turn:
    """Encode one job from the queue.

    Where all that wait need a newer release, pause: the tickets of those jobs come again and again until an encoder of that release is there.
    """
    try:
        claim = context.queue.take(token, LEASE_S)
    except OnlyNewer:
        time.sleep(NEWER_PAUSE_S)
        return "none"
    return encode(context, codec, claim, keeper) if claim is not None else "none"


def encode_express(context: Context, codec: Codec, token: str, keeper: LeaseKeeper | None = None) -> Turn:
    """Encode a small job beyond the encoders, if one may be."""
    claim = context.queue.take_express(token, LEASE_S)
    return encode(context, codec, claim, keeper) if claim is not None else "none"


def encode(context: Context, codec: Codec, claim: Claim, keeper: LeaseKeeper | None = None) -> Turn:
    """Encode a job and commit how it ended, or put it off. Raises nothing but what Redis does: no job ends an encoder."""
    reporter = Reporter(context, claim)
    try:
        with (keeper or LeaseKeeper()).hold(reporter):
            return _encode(context, codec, claim, reporter)
    except (errors.NotFound, Stopped):
        log.info("job %s is no longer wanted", claim.job.id)
        return "done"
    except ChildDied as death:
        return _note_death(context, claim, reporter, death)
    except errors.GatewayError as error:
        _put_off(context, claim, WORLD_PAUSES_S, error)
        return "put off"
    except Exception as error:  # the process edge: what breaks here may be the image's doing, so it is bounded as a death is
        log.error("encoding job %s met an unexpected %r", claim.job.id, error, exc_info=error)
        return _note_death(context, claim, reporter, ChildDied(type(error).__name__))


def _encode(context: Context, codec: Codec, claim: Claim, reporter: Reporter) -> Turn:
    job = _known_end(context, claim) or _convert(context, codec, claim, reporter)
    with_patience(context, reporter, lambda: finish(context, job, claim.token))
    return "done"


def _note_death(context: Context, claim: Claim, reporter: Reporter, death: ChildDied) -> Turn:
    """Put the job off; after ``MAX_ATTEMPTS`` deaths it fails."""
    deaths = _put_off(context, claim, DEATH_PAUSES_S, death, died=death.times)
    if deaths is None or deaths < MAX_ATTEMPTS:
        return "put off"
    try:
        finish(context, _fail(context, claim.job, reporter, errors.Internal("encoder_lost", attempts=deaths)), claim.token)
    except errors.GatewayError as error:
        log.warning("how job %s ended could not be stored, so it will be tried again: %s", claim.job.id, error)
    return "done"


def _put_off(context: Context, claim: Claim, pauses_s: Sequence[float], why: Exception, *, died: int = 0) -> int | None:
    """Let any encoder try again after a pause; how often the child has died over the image. Where Redis is away too, the lease runs out."""
    log.warning("job %s is put off: %s", claim.job.id, why, extra={"fields": {"request": claim.job.manifest.request_id}})
    try:
        return context.leases.pause(claim.job.id, claim.token, pauses_s, died=died)
    except errors.BackendUnavailable as error:
        log.warning("job %s could not be put off, so its lease has to run out: %s", claim.job.id, error.private)
        return None


def _known_end(context: Context, claim: Claim) -> Job | None:
    """An end that needs no encode: the job's own, where Redis fell back to an older state, or a duplicate's result."""
    outcome = context.store.outcome(claim.job.id)
    if outcome is not None:
        return claim.job.at(outcome)
    return share_result(context, claim.job, claim.token, claim.duplicates)


def _convert(context: Context, codec: Codec, claim: Claim, reporter: Reporter) -> Job:
    """Run the codec and store its result; the job as it should end.

    Raises ``Stopped``, ``NotFound`` when the job was erased meanwhile, ``ChildDied``, and what is the world's fault.
    """
    source = context.store.open_source(claim.job.id)
    try:
        conversion = _conversion(context, claim)
        variants = VariantFiles(context, claim, reporter, conversion) if claim.job.manifest.options.is_several else None
        target, converted = _convert_into_target(context, codec, claim, source, reporter, conversion, variants)
    except errors.GatewayError as error:
        if error.is_passing or isinstance(error, errors.NotFound):
            raise
        _check_whole(source, claim.job.manifest.source)
        return _fail(context, claim.job, reporter, error)
    finally:
        source.close()
    if variants is not None:
        target.discard()
        reporter.report_storing()
        return claim.job.at(succeeded(reporter.status, variants.results()[0], context.clock(), variants.results()))
    return _store_result(context, claim.job, target, converted, reporter)


def _check_whole(source: Blob, known: Source) -> None:
    """An image is only to blame where the codec was given what the client had sent. Raises ``BackendUnavailable``, ``ChildDied``.

    A file that is other than it was received stays so, perhaps for ever: it is bounded as a death is.
    """
    digest, at = hashlib.sha256(), 0
    while chunk := source.read_at(at, READ_BYTES):
        digest.update(chunk)
        at += len(chunk)
    if digest.hexdigest() != known.sha256:
        raise ChildDied(f"the store gave {at} bytes that are not the {known.bytes} which were received")


def _convert_into_target(
    context: Context, codec: Codec, claim: Claim, source: Blob, reporter: Reporter, conversion: Conversion, variants: VariantFiles | None
) -> tuple[ResultFile, Converted]:
    """Variants have files of their own; the target is then what the codec works in."""
    target = context.store.create_result(claim.job.id, claim.token)
    try:
        converted = codec.convert(
            source.fileno(),
            target.fd,
            conversion,
            on_progress=reporter.report_progress,
            should_stop=reporter.is_unwanted,
            tick_s=EPHEMERAL_TICK_S if claim.job.manifest.is_ephemeral else TICK_S,
            variants=variants,
        )
        return target, watermarks.noted(converted, conversion)
    except BaseException:
        target.discard()
        if variants is not None:
            variants.discard()
        raise


def _conversion(context: Context, claim: Claim) -> Conversion:
    manifest = claim.job.manifest
    every_s = EPHEMERAL_REPORT_EVERY_S if manifest.is_ephemeral else REPORT_EVERY_S
    options = effort.with_effort(asked := manifest.options, claim.waiting, claim.encoders)
    chosen = int(options.method) if effort.has_choice(asked) else None
    watermark = watermarks.read(context, options)
    is_busy = effort.is_busy(claim.waiting, claim.encoders)
    return Conversion(manifest.source.shape, options, context.limits, float(context.encode_timeout_s), every_s, watermark, chosen, is_busy)


def _store_result(context: Context, job: Job, target: ResultFile, converted: Converted, reporter: Reporter) -> Job:
    """Make the result durable; the job as it should end. Raises as ``_convert``."""
    try:
        reporter.report_storing()
        result = store_result(context, job, reporter, target, converted)
        return job.at(succeeded(reporter.status, result, context.clock()))
    except BaseException:
        target.discard()
        raise


def _fail(context: Context, job: Job, reporter: Reporter, error: errors.GatewayError) -> Job:
    log.info("job %s failed: %s", job.id, error, extra={"fields": {"request": job.manifest.request_id}})
    return job.at(failed(reporter.status, error, context.clock()))
