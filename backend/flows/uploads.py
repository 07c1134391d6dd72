"""Resumable uploads (tus): bytes come in pieces, over days and through any process, and become a job when the last is on disk.

Three laws. What is told to a client is on disk. One hand at a time changes an upload: who wants it waits ``PATIENCE_S``; whoever holds it gives
way when its client has gone silent (the edge sees that, and asks ``is_wanted``), else the newcomer is told ``Locked``. The last step, from
complete to job, is tried by whoever comes by (the request that brought the last byte, a later one, the caretaker) until it has happened, and
happens once: the job's id was drawn with the upload's.
"""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from backend import errors
from backend.core import formats
from backend.core.job import Job, Status
from backend.core.resumable import UploadInfo, UploadState
from backend.flows import conclude, ingest
from backend.flows.context import Context
from backend.flows.find_job import ID
from backend.flows.ingest import Sender
from backend.ports.peer import SocketChunk
from backend.ports.resumable import Uploads, UploadWriter

log = logging.getLogger(__name__)
PATIENCE_S = 5.0
"""Longer than a silent holder takes to give way (the edge: about 2 s), shorter than a client's patience."""
TURN_S = 0.1
CHECKPOINT_BYTES = 8 << 20
CHECKPOINT_S = 5.0
LEAST_CHECKPOINT_S = 0.25
"""A killed process costs its clients no more of what they had sent than these: so many bytes, or what comes in the shorter time if that is more."""
HOPELESS = (errors.EmptyFile, errors.UnsupportedFormat, errors.DamagedImage, errors.TooManyPixels, errors.TooManyFrames, errors.InvalidOption)
"""What no retry can mend: the upload is erased with it."""


@dataclass(frozen=True, slots=True)
class PatchRequest:
    """One PATCH: where it says it begins, the size it announces, the sum it must have (algorithm, digest), how many bytes if known."""

    offset_bytes: int
    length_bytes: int | None = None
    checksum: tuple[str, bytes] | None = None
    size_bytes: int | None = None


def create(context: Context, info: UploadInfo, length_bytes: int | None) -> tuple[UploadInfo, UploadState]:
    """Durable before it returns; the one of that id where there is one already. Raises ``TooLarge``, ``EmptyFile``, ``StorageFull``."""
    if length_bytes is not None:
        context.limits.check_bytes(length_bytes)
        if length_bytes == 0 and not info.is_partial:
            raise errors.EmptyFile()
    state = UploadState(context.clock(), length_bytes=length_bytes)
    return _create(context, info, state) or find(context, info.id, info.owner)


def concatenate(context: Context, info: UploadInfo, parts: Sequence[str]) -> tuple[UploadInfo, UploadState]:
    """A final upload of the partial ones, and the job it is; the one of that id where there is one already.

    Raises ``BadRequest``, ``NotFound``, ``TooLarge`` and what ``finish`` raises.
    """
    try:
        return resume(context, info.id, info.owner)
    except errors.NotFound:
        pass
    total = sum(_part_bytes(context, part, number, info.owner) for number, part in enumerate(parts, 1))
    context.limits.check_bytes(total)
    _create(context, info, UploadState(context.clock(), offset_bytes=total, length_bytes=total), parts)
    with open_writer(context, info.id, info.owner) as writer:
        finish(context, writer)
        return writer.info, writer.state


def _create(context: Context, info: UploadInfo, state: UploadState, parts: Sequence[str] = ()) -> tuple[UploadInfo, UploadState] | None:
    """None where one of that id is there already. One that has expired and is not yet swept away makes room."""
    uploads = _uploads(context)
    if uploads.create(info, state, parts):
        return info, state
    known, earlier = uploads.find(info.id)
    if known.owner == info.owner and expires_at(context, earlier) <= context.clock():
        uploads.erase(info.id)
        if uploads.create(info, state, parts):
            return info, state
    return None


def _part_bytes(context: Context, part: str, number: int, owner: str) -> int:
    info, state = find(context, part, owner)
    if not info.is_partial or not state.is_complete:
        raise errors.BadRequest("unfinished_part", number=number)
    return state.offset_bytes


def find(context: Context, upload_id: str, owner: str) -> tuple[UploadInfo, UploadState]:
    """Raises ``NotFound``: unknown, expired, erased and somebody else's all look the same."""
    if not ID.fullmatch(upload_id):
        raise errors.NotFound()
    info, state = _uploads(context).find(upload_id)
    if info.owner != owner or expires_at(context, state) <= context.clock():
        raise errors.NotFound()
    return info, state


def expires_at(context: Context, state: UploadState) -> float:
    """Each step of progress begins the time anew; the record of a finished upload lives as long as its job."""
    return state.touched_at + context.retention_s


@contextmanager
def open_writer(context: Context, upload_id: str, owner: str) -> Iterator[UploadWriter]:
    """The upload in nobody else's hands. Raises ``NotFound``, ``Locked``."""
    find(context, upload_id, owner)
    writer = _open(_uploads(context), upload_id)
    try:
        yield writer
    finally:
        writer.close()


def _open(uploads: Uploads, upload_id: str) -> UploadWriter:
    for _ in range(int(PATIENCE_S / TURN_S)):
        if (writer := uploads.open(upload_id)) is not None:
            return writer
        uploads.request_takeover(upload_id)
        time.sleep(TURN_S)
    raise errors.Locked("locked", retry_after_s=1)


def resume(context: Context, upload_id: str, owner: str) -> tuple[UploadInfo, UploadState]:
    """Where a client may go on. While somebody is sending, what is on disk by now. Raises ``NotFound`` and what ``finish`` raises."""
    info, state = find(context, upload_id, owner)
    if state.has_job or (info.is_partial and state.is_complete):
        return info, state
    try:
        with open_writer(context, upload_id, owner) as writer:
            finish(context, writer)
            return writer.info, writer.state
    except errors.Locked:
        return find(context, upload_id, owner)


def append(context: Context, writer: UploadWriter, patch: PatchRequest, body: Iterable[bytes | SocketChunk]) -> UploadState:
    """Take one piece, and make the job if it was the last.

    A piece that breaks off counts as far as it came, unless it has a checksum: then all of it or nothing.

    Raises ``Forbidden``, ``OffsetMismatch``, ``TooLarge``, ``ChecksumMismatch``, ``UnsupportedFormat``, ``StorageFull``, what ``body``
    raises and what ``finish`` raises.
    """
    _check(context, writer, patch)
    if patch.length_bytes is not None and writer.state.length_bytes is None:
        writer.set_length(patch.length_bytes, context.clock())
    try:
        _receive(context, writer, patch, body)
    except errors.UnsupportedFormat:
        _uploads(context).erase(writer.info.id)
        raise
    finish(context, writer)
    return writer.state


def _check(context: Context, writer: UploadWriter, patch: PatchRequest) -> None:
    state = writer.state
    if writer.info.is_final:
        raise errors.Forbidden("final_upload")
    if patch.offset_bytes != state.offset_bytes:
        raise errors.OffsetMismatch(offset=state.offset_bytes)
    if patch.length_bytes is not None:
        _check_length(context, state, patch.length_bytes)
    _check_end(context, replace(state, length_bytes=_length(state, patch)), state.offset_bytes + (patch.size_bytes or 0))
    context.store.check()


def _check_length(context: Context, state: UploadState, length_bytes: int) -> None:
    """It is said once."""
    if length_bytes < state.offset_bytes or state.length_bytes not in (None, length_bytes):
        raise errors.BadRequest("header", header="Upload-Length", accepted=str(state.length_bytes or f"≥ {state.offset_bytes}"))
    context.limits.check_bytes(length_bytes)


def _length(state: UploadState, patch: PatchRequest) -> int | None:
    return patch.length_bytes if state.length_bytes is None else state.length_bytes


def _check_end(context: Context, state: UploadState, end_bytes: int) -> None:
    context.limits.check_bytes(end_bytes)
    if state.length_bytes is not None and end_bytes > state.length_bytes:
        raise errors.TooLarge("upload_length", limit_bytes=state.length_bytes)


def _receive(context: Context, writer: UploadWriter, patch: PatchRequest, body: Iterable[bytes | SocketChunk]) -> None:
    if patch.checksum is not None:
        _receive_whole(context, writer, patch.checksum, body)
        return
    kept_at = context.clock()
    try:
        for _ in _write(context, writer, body):
            now, unkept_bytes = context.clock(), writer.position_bytes - writer.state.offset_bytes
            if now - kept_at >= (LEAST_CHECKPOINT_S if unkept_bytes >= CHECKPOINT_BYTES else CHECKPOINT_S):
                writer.checkpoint(kept_at := now)
    except (errors.BadRequest, errors.TooLarge):
        writer.save(context.clock())
        raise
    writer.save(context.clock())


def _receive_whole(context: Context, writer: UploadWriter, checksum: tuple[str, bytes], body: Iterable[bytes | SocketChunk]) -> None:
    algorithm, digest = checksum
    writer.start_checksum(algorithm)
    for _ in _write(context, writer, body):
        pass
    if not hmac.compare_digest(writer.checksum(), digest):
        writer.discard_unsaved()
        raise errors.ChecksumMismatch("checksum", algorithm=algorithm, offset=writer.state.offset_bytes)
    writer.save(context.clock())


def _write(context: Context, writer: UploadWriter, body: Iterable[bytes | SocketChunk]) -> Iterator[None]:
    """Each chunk is written; the format is judged once enough is in."""
    is_judged = writer.info.is_partial or writer.position_bytes >= formats.SNIFF_BYTES
    for some in body:
        if isinstance(some, bytes):
            _check_end(context, writer.state, writer.position_bytes + len(some))
            writer.write(some)
        else:
            some.receive_into(writer.receive_from_fd, ingest.SOCKET_CHUNK_BYTES)
        del some  # nobody holds it while the next is waited for
        if not is_judged and writer.position_bytes >= formats.SNIFF_BYTES:
            ingest.readable(writer.read_head(formats.SNIFF_BYTES))
            is_judged = True
        yield


def finish(context: Context, writer: UploadWriter) -> None:
    """Make the job of a complete upload, unless it is made. Raises what ``ingest.accept`` raises: tried again later, or erased if ``HOPELESS``.

    An upload that is erased under this hand leaves no job.
    """
    info, state = writer.info, writer.state
    if not state.is_complete or state.has_job or info.is_partial:
        return
    try:
        if not _is_made(context, info.job_id):
            _make(context, writer)
    except HOPELESS:
        _uploads(context).erase(info.id)
        raise
    try:
        writer.mark_as_job(context.clock())
    except errors.NotFound:
        conclude.erase(context, Job(context.store.manifest(info.job_id), Status()))
        raise


def _is_made(context: Context, job_id: str) -> bool:
    """It was, if a process died just then; it may not be queued yet."""
    try:
        manifest = context.store.manifest(job_id)
    except errors.NotFound:
        return False
    if context.store.outcome(job_id) is None:
        ingest.queue(context, Job(manifest, Status()))
    return True


def _make(context: Context, writer: UploadWriter) -> None:
    info, upload = writer.info, writer.create_upload()
    try:
        known = ingest.readable(writer.read_head(formats.SNIFF_BYTES))
        received = ingest.judge(context, upload, known, info.filename)
        sender = Sender(info.owner, info.client, info.request_id, info.maker)
        ingest.accept(context, received, info.options, sender, job_id=info.job_id)
    except BaseException:
        upload.discard()
        raise


def terminate(context: Context, upload_id: str, owner: str) -> None:
    """Erase it, even from under somebody who is sending to it. A job that was made of it is a thing of its own. Raises ``NotFound``."""
    find(context, upload_id, owner)
    _uploads(context).erase(upload_id)


def sweep(context: Context) -> int:
    """The caretaker's round: erase what has expired, finish what a killed process left complete; the bytes freed."""
    freed = 0
    for info, state in _uploads(context).all():
        if expires_at(context, state) <= context.clock():
            freed += _uploads(context).erase(info.id)
        elif state.is_complete and not state.has_job and not info.is_partial:
            _finish_left(context, info.id)
    return freed


def _finish_left(context: Context, upload_id: str) -> None:
    try:
        writer = _uploads(context).open(upload_id)
        if writer is None:
            return
        try:
            finish(context, writer)
        finally:
            writer.close()
    except errors.GatewayError as error:
        log.info("the complete upload %s did not become a job: %s", upload_id, error)


def _uploads(context: Context) -> Uploads:
    assert context.uploads is not None, "this process takes no uploads"
    return context.uploads
