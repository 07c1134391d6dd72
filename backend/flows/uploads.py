"""Resumable uploads (tus): bytes come in several requests, over days and through any process, and become a job when the last is stored.

What a client is told is durable. Where the store has locks, an upload is changed under one. A request that finds it locked asks for a takeover and
waits ``PATIENCE_S``: the holder closes the upload if its own client has gone silent (the web looks for that, by ``is_takeover_requested``). Otherwise
the waiting request gets ``Locked``. Where it has none (``adapters/s3``), the first to save counts, and another gets ``OffsetMismatch``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from backend import errors
from backend.core.client_limits import ClientLimits
from backend.core.resumable import UploadInfo, UploadState
from backend.flows import finish_upload, ingest, shares
from backend.flows.context import Context
from backend.flows.find_job import check_id
from backend.flows.find_upload import check_visible, erase, expires_at, find, uploads_of
from backend.flows.receive_upload import Body, check_end, receive, receive_with_checksum
from backend.ports.resumable import Uploads, UploadWriter

PATIENCE_S = 5.0
"""Longer than a silent holder takes to close (the web: about 2 s), shorter than a client's patience."""
RETRY_S = 0.1


@dataclass(frozen=True, slots=True)
class PatchRequest:
    """What a PATCH says of its bytes: where they begin, the length of the whole upload, their checksum (algorithm, digest), how many they are."""

    offset_bytes: int
    length_bytes: int | None = None
    checksum: tuple[str, bytes] | None = None
    size_bytes: int | None = None


def create(context: Context, info: UploadInfo, length_bytes: int | None, limits: ClientLimits) -> tuple[UploadInfo, UploadState]:
    """Make the upload, durable; or return the one of that id if there is one.

    Raises ``TooLarge``, ``EmptyFile``, ``QuotaExceeded``, ``StorageFull``.
    """
    if length_bytes is not None:
        context.limits.check_bytes(length_bytes)
        if length_bytes == 0 and not info.is_partial:
            raise errors.EmptyFile()
    state = UploadState(context.clock(), length_bytes=length_bytes)
    return _create(context, info, state, limits) or find(context, info.id, info.owner)


def create_whole(context: Context, info: UploadInfo, patch: PatchRequest, body: Body, limits: ClientLimits) -> tuple[UploadInfo, UploadState]:
    """Make an upload all of whose bytes come with its creation, and its job. One that fails leaves nothing: nobody has heard of it.

    So its bytes go the way of every image, and its record is written once, with the job in it. Raises as ``ingest.Intake``, ``ingest.accept``
    and what ``body`` raises.
    """
    context.limits.check_bytes(patch.size_bytes or 0)
    intake = ingest.Intake(context, info.filename)
    try:
        for piece in body:
            intake.take(piece)
            del piece  # nobody holds it while the next is waited for
        received = intake.finish()
        return info, _record_whole(context, info, received, limits)
    except BaseException:
        intake.abandon()
        raise


def _record_whole(context: Context, info: UploadInfo, received: ingest.Received, limits: ClientLimits) -> UploadState:
    """The job is on disk first and runs last, so that the record never names one that is not there."""
    uploads, size_bytes = uploads_of(context), received.upload.size_bytes
    state = UploadState(context.clock(), size_bytes, size_bytes, has_job=True)
    job, _ = ingest.keep(context, received, info.options, finish_upload.sender(info, limits), job_id=info.job_id)
    try:
        uploads.create(info, state)
    except BaseException:
        context.store.erase(job.id)
        raise
    try:
        ingest.queue(context, job, limits)
    except BaseException:
        uploads.erase(info.id)
        raise
    return state


def concatenate(context: Context, info: UploadInfo, parts: Sequence[str], limits: ClientLimits) -> tuple[UploadInfo, UploadState]:
    """Make a final upload of partial ones, and its job; or return the one of that id if there is one.

    Raises ``BadRequest``, ``NotFound``, ``TooLarge``, ``QuotaExceeded`` and what ``finish_upload.finish`` raises.
    """
    try:
        return resume(context, info.id, info.owner)
    except errors.NotFound:
        pass
    total = sum(_part_bytes(context, part, number, info.owner) for number, part in enumerate(parts, 1))
    context.limits.check_bytes(total)
    _create(context, info, UploadState(context.clock(), offset_bytes=total, length_bytes=total), limits, parts)
    with open_writer(context, info.id, info.owner) as writer:
        finish_upload.finish(context, writer)
        return writer.info, writer.state


def _create(
    context: Context, info: UploadInfo, state: UploadState, limits: ClientLimits, parts: Sequence[str] = ()
) -> tuple[UploadInfo, UploadState] | None:
    """None where there is one of that id already. One that has expired, and is not erased yet, is replaced."""
    shares.admit_upload(context, info, expires_at(context, state), limits)
    try:
        return (info, state) if _put(context, info, state, parts) else None
    except BaseException:
        shares.release_upload(context, info)
        raise


def _put(context: Context, info: UploadInfo, state: UploadState, parts: Sequence[str]) -> bool:
    uploads = uploads_of(context)
    if uploads.create(info, state, parts):
        return True
    known, earlier = uploads.find(info.id)
    if known.owner != info.owner or expires_at(context, earlier) > context.clock():
        return False
    uploads.erase(info.id)
    return uploads.create(info, state, parts)


def _part_bytes(context: Context, part: str, number: int, owner: str) -> int:
    info, state = find(context, part, owner)
    if not info.is_partial or not state.is_complete:
        raise errors.BadRequest("unfinished_part", number=number)
    return state.offset_bytes


@contextmanager
def open_writer(context: Context, upload_id: str, owner: str) -> Iterator[UploadWriter]:
    """The upload, locked. Raises ``NotFound``, ``Locked``."""
    check_id(upload_id)
    writer = uploads_of(context).open(upload_id)
    if writer is None:
        find(context, upload_id, owner)  # a stranger does not ask for it
        writer = _lock(uploads_of(context), upload_id)
    try:
        check_visible(context, writer.info, writer.state, owner)
        yield writer
    finally:
        writer.close()


def _lock(uploads: Uploads, upload_id: str) -> UploadWriter:
    for _ in range(int(PATIENCE_S / RETRY_S)):
        if (writer := uploads.open(upload_id)) is not None:
            return writer
        uploads.request_takeover(upload_id)
        time.sleep(RETRY_S)
    raise errors.Locked("locked", retry_after_s=1)


def resume(context: Context, upload_id: str, owner: str) -> tuple[UploadInfo, UploadState]:
    """Where a client may go on; a complete upload becomes its job now. While another request sends bytes, what is on disk so far.

    Raises ``NotFound`` and what ``finish_upload.finish`` raises.
    """
    info, state = find(context, upload_id, owner)
    if state.has_job or (info.is_partial and state.is_complete):
        return info, state
    try:
        with open_writer(context, upload_id, owner) as writer:
            finish_upload.finish(context, writer)
            return writer.info, writer.state
    except errors.Locked:
        return find(context, upload_id, owner)


def append(context: Context, writer: UploadWriter, patch: PatchRequest, body: Body) -> UploadState:
    """Save the bytes of one PATCH, and make the job if they were the last.

    A body that breaks off counts as far as it came; one with a checksum counts as a whole or not at all.

    Raises ``Forbidden``, ``OffsetMismatch``, ``TooLarge``, ``ChecksumMismatch``, ``UnsupportedFormat``, ``StorageFull``, what ``body``
    raises and what ``finish_upload.finish`` raises.
    """
    _check(context, writer, patch)
    if patch.length_bytes is not None and writer.state.length_bytes is None:
        writer.set_length(patch.length_bytes, context.clock())
    try:
        if patch.checksum is None:
            receive(context, writer, body)
        else:
            receive_with_checksum(context, writer, patch.checksum, body)
    except errors.UnsupportedFormat:
        erase(context, writer.info)
        raise
    finish_upload.finish(context, writer)
    return writer.state


def _check(context: Context, writer: UploadWriter, patch: PatchRequest) -> None:
    state = writer.state
    if writer.info.is_final:
        raise errors.Forbidden("final_upload")
    if patch.offset_bytes != state.offset_bytes:
        raise errors.OffsetMismatch(offset=state.offset_bytes)
    if patch.length_bytes is not None:
        _check_length(context, state, patch.length_bytes)
    length_bytes = patch.length_bytes if state.length_bytes is None else state.length_bytes
    check_end(context, replace(state, length_bytes=length_bytes), state.offset_bytes + (patch.size_bytes or 0))
    context.store.check()


def _check_length(context: Context, state: UploadState, length_bytes: int) -> None:
    """A length that was announced cannot be changed."""
    if length_bytes < state.offset_bytes or state.length_bytes not in (None, length_bytes):
        raise errors.BadRequest("header", header="Upload-Length", accepted=str(state.length_bytes or f"≥ {state.offset_bytes}"))
    context.limits.check_bytes(length_bytes)


def terminate(context: Context, upload_id: str, owner: str) -> None:
    """Erase the upload, also while another request sends bytes to it. A job that was made of it stays. Raises ``NotFound``."""
    info, _ = find(context, upload_id, owner)
    erase(context, info)
