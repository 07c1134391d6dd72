"""Ingest: receive an image's bytes, check them while they come, and make a durable job of them.

The format is known from the first bytes, and refused at once; the size is bounded while streaming; the header's pixels are checked before
anything is queued. ``accept`` returns after source and manifest are on disk: a queue that cannot be reached then costs time and no job.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field

from backend import errors
from backend.core import encode_time, formats, image_headers, non_images
from backend.core.client_limits import ClientLimits
from backend.core.conversion import Shape
from backend.core.formats import Format
from backend.core.job import Job, Manifest, Source, Status, work_key
from backend.core.options import Options, decided, needs
from backend.core.protocol import is_understood
from backend.core.turns import turn
from backend.core.variants import variants
from backend.flows import deduplicate, shares, watermarks
from backend.flows.conclude import erase
from backend.flows.context import Context
from backend.flows.deliver import check_source
from backend.flows.find_job import find_stored
from backend.flows.unqueued import remember
from backend.ports.peer import SocketChunk
from backend.ports.source_files import Upload

log = logging.getLogger(__name__)
MAX_RETRY_S = 60
SOCKET_CHUNK_BYTES = 4 << 20
"""So much of a body goes straight from its socket into the file before the thread serves another upload: a few milliseconds."""
BodyPiece = bytes | SocketChunk
"""What a body consists of: bytes that the loop has read, and bytes that are still in the socket."""
NEWER_RETRY_S = 5
"""While a newer release is rolled out, another gateway may answer by then."""
QUEUE_DEPTH_CACHED_S = 1.0
AMPLE_ROOM = 100
"""The queue is not asked again for each upload while it has room for so many jobs more."""
EPHEMERAL_MARGIN_S = 120
"""An ephemeral job lives as long as its encode may take, and this much longer for waiting and answering."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a request: ``owner`` may see the job, ``client`` takes turns in the queue and has ``limits``, ``maker`` finds the job in a list.

    ``line`` takes turns within the client. ``is_waiting``: somebody waits for the answer, so the job goes before the line's others.
    ``webhook_url`` is told when the job has ended, or when its batch has; empty for nobody.
    """

    owner: str = ""
    client: str = ""
    request_id: str = ""
    maker: str = ""
    limits: ClientLimits = ClientLimits()
    line: str = ""
    is_waiting: bool = False
    webhook_url: str = ""

    @property
    def turn(self) -> str:
        return turn(self.client, self.line, is_waited_for=self.is_waiting)


@dataclass(frozen=True, slots=True)
class Received:
    upload: Upload
    shape: Shape
    filename: str

    def source(self) -> Source:
        shape = self.shape
        return Source(self.filename, self.upload.size_bytes, self.upload.sha256(), shape.format, shape.width, shape.height, shape.frames)


@dataclass(slots=True)
class Intake:
    """Receives one image, chunk by chunk. End it with ``finish`` or ``abandon``."""

    context: Context
    filename: str = ""
    upload: Upload = field(init=False)
    format: Format | None = field(init=False, default=None)
    head: bytes = field(init=False, default=b"")
    """The first bytes, as many as are needed to know the format."""

    def __post_init__(self) -> None:
        self.upload = self.context.store.create_upload()

    def feed(self, chunk: bytes) -> None:
        """Raises ``TooLarge``, ``UnsupportedFormat`` as soon as the first bytes show it, ``StorageFull``."""
        self.context.limits.check_bytes(self.upload.size_bytes + len(chunk))
        if self.format is None:
            self.head += chunk[: formats.SNIFF_BYTES - len(self.head)]
            if len(self.head) >= formats.SNIFF_BYTES:
                self.format = sniff_format(self.head)
        self.upload.write(chunk)

    def take(self, piece: BodyPiece) -> None:
        """Raises as ``feed``. The length of a body with a ``SocketChunk`` was checked. One that comes before the format is known is left in the
        socket, so that the loop reads its bytes."""
        if isinstance(piece, bytes):
            self.feed(piece)
        elif self.format is not None:
            piece.receive_into(self.upload.receive_from_fd, SOCKET_CHUNK_BYTES)

    def finish(self) -> Received:
        if self.upload.size_bytes == 0:
            raise errors.EmptyFile()
        return judge(self.context, self.upload, self.format or sniff_format(self.head), self.filename)

    def abandon(self) -> None:
        self.upload.discard()


def judge(context: Context, upload: Upload, known: Format, filename: str) -> Received:
    """Read the header of a whole upload, and check it. Raises ``DamagedImage``, ``TooManyPixels``, ``TooManyFrames``."""
    limits = context.limits
    shape = upload.inspect(lambda read_at, size_bytes: image_headers.read_shape(known, read_at, size_bytes, limits))
    limits.check_pixels(shape.width, shape.height, shape.frames)
    return Received(upload, shape, filename or f"image.{known.extensions[0]}")


def check_room(context: Context, sender: Sender) -> None:
    """Check, before a body is read, that it could be stored and queued. Raises ``QuotaExceeded``, ``QueueFull``, ``StorageFull``."""
    context.store.check()
    check_queue(context, sender)


def check_queue(context: Context, sender: Sender) -> None:
    """As ``check_room``, for a body that goes straight into the store, which checks its own room. Raises ``QuotaExceeded``, ``QueueFull``.

    A queue that had ample room a moment ago is not asked again for each upload: ``queue`` refuses what there is no room for.
    """
    seen, now = context.queue_depth, context.clock()
    known_since_s = seen.at_s
    shares.check(context, sender.client, sender.limits)  # where it asks Redis, it learns the queue's depth too
    is_ample = 0 <= now - seen.at_s < QUEUE_DEPTH_CACHED_S and seen.waiting + AMPLE_ROOM <= context.max_queued_jobs
    if seen.at_s == known_since_s and not is_ample:
        try:
            seen.waiting, seen.at_s = context.queue.depth(), now
        except errors.BackendUnavailable:
            return
    if seen.waiting >= context.max_queued_jobs:
        raise queue_is_full(context, seen.waiting)


def accept(
    context: Context,
    received: Received,
    options: Options,
    sender: Sender,
    *,
    job_id: str | None = None,
    batch: str | None = None,
    is_ephemeral: bool = False,
) -> Job:
    """Make a job: durable, then queued. With a ``job_id`` that is a job already, that job.

    Raises ``QuotaExceeded``, ``QueueFull``, ``StorageFull``, ``InvalidOption`` (as ``check_result``).
    """
    job, is_new = keep(context, received, options, sender, job_id=job_id, batch=batch, is_ephemeral=is_ephemeral)
    return queue(context, job, sender.limits) if is_new else job


def keep(
    context: Context,
    received: Received,
    options: Options,
    sender: Sender,
    *,
    job_id: str | None = None,
    batch: str | None = None,
    is_ephemeral: bool = False,
) -> tuple[Job, bool]:
    """Make a durable job that is not queued yet; the job, and whether it is new. Raises as ``accept``."""
    options = decided(options)
    check_result(context, received.shape, options)
    watermark = watermarks.digest(context, options)
    now, source = context.clock(), received.source()
    lifetime_s = context.encode_timeout_s * 2 + EPHEMERAL_MARGIN_S if is_ephemeral else context.retention_s
    manifest = Manifest(
        id=job_id or context.new_id(),
        source=source,
        options=options,
        created_at=now,
        expires_at=now + lifetime_s,
        owner=sender.owner,
        client=sender.turn,
        batch=batch,
        request_id=sender.request_id,
        is_ephemeral=is_ephemeral,
        work_key=work_key(source, options, sender.owner, watermark) if context.shares_results else "",
        maker=sender.maker,
        webhook_url=sender.webhook_url,
        needs=needs(options),
    )
    if not context.store.commit_job(received.upload, manifest):
        return find_stored(context, manifest.id), False
    return Job(manifest, Status()), True


def retry(context: Context, job: Job, options: Options, sender: Sender, *, job_id: str | None = None) -> Job:
    """Make a new job from an earlier one's source. Raises as ``accept`` and ``check_source``, ``check_understood``, and ``NotFound``
    when the source is gone."""
    check_source(job)
    check_understood(job.manifest.needs)
    source = job.manifest.source
    upload = context.store.reuse_source(job.manifest)
    try:
        return accept(context, Received(upload, source.shape, source.filename), options, sender, job_id=job_id)
    except BaseException:
        upload.discard()
        raise


def queue(context: Context, job: Job, limits: ClientLimits) -> Job:
    """Queue a durable job; the job as it is then. One that has completed duplicates ends at once with a duplicate's result.

    Without Redis the job stays in the store, and this process queues it as soon as Redis is back. Raises ``QueueFull``, ``QuotaExceeded``,
    ``LiveStateFull``, and for an ephemeral job, whose client waits for nothing else, ``BackendUnavailable``; the job is erased then.
    """
    limit, share = context.max_queued_jobs, limits.jobs
    try:
        known = context.queue.submit(job, limit=limit, share=share) or deduplicate.end_as_duplicate(context, job)
        return known or context.queue.enqueue(job, limit=limit, share=share)
    except errors.QuotaExceeded:
        context.store.erase(job.id)
        raise
    except errors.QueueFull:
        context.queue_depth.at_s = -math.inf
        context.store.erase(job.id)
        raise queue_is_full(context, limit) from None
    except errors.LiveStateFull:
        erase(context, job)
        raise
    except errors.BackendUnavailable as error:
        if job.manifest.is_ephemeral:
            context.store.erase(job.id, durable=False)
            raise
        log.warning("job %s is stored and will be queued once Redis is back: %s", job.id, error.private)
        remember(context, job.id)
        return job


def queue_is_full(context: Context, waiting: int) -> errors.QueueFull:
    """The error, with the time in which a tenth of the queue will be done: then there is room for more than one client that tries again."""
    try:
        room_s = context.counters.overview().seconds_for(math.ceil(waiting / 10))
    except errors.BackendUnavailable:
        room_s = math.inf
    return errors.QueueFull(limit=context.max_queued_jobs, retry_after_s=math.ceil(max(1, min(MAX_RETRY_S, room_s))))


def check_understood(needs: int) -> None:
    """Check that what a newer release recorded can be gone on with here. Raises ``BackendUnavailable``."""
    if not is_understood(needs):
        raise errors.BackendUnavailable("newer", part="gateway", retry_after_s=NEWER_RETRY_S)


def sniff_format(head: bytes) -> Format:
    """The format of a file that begins with ``head``. Raises ``UnsupportedFormat``, ``DamagedImage``, ``EmptyFile``."""
    if not head:
        raise errors.EmptyFile()
    known = formats.sniff(head)
    non_images.check(head, known)
    if known is None:
        raise errors.UnsupportedFormat(accepted=formats.ACCEPTED)
    if known.pillow is None:
        raise errors.UnsupportedFormat("named", format=known.label, accepted=formats.ACCEPTED)
    return known


def check_result(context: Context, shape: Shape, options: Options) -> None:
    """An image that keeps its size, and stays longer than an output format allows, or too large for its time, is refused now and not after
    decoding it. Raises ``InvalidOption``."""
    asked = variants(options)
    for each in asked:
        _check_side(shape, each)
    encode_time.check(asked, shape, context.encode_timeout_s)


def _check_side(shape: Shape, options: Options) -> None:
    output = formats.OUTPUT[options.format]
    is_resized = any(each is not None for each in (options.width, options.height, options.crop, options.trim))
    if not is_resized and max(shape.width, shape.height) > output.max_side:
        width, height, limit, label = shape.width, shape.height, output.max_side, output.source.label
        raise errors.InvalidOption("side", option="width", width=width, height=height, limit=limit, format=label)
