"""Resumable uploads (tus): bytes come in several requests, over days and through any process, and become a job when the last is on disk.

What a client is told is on disk. An upload is changed under a lock. A request that finds it locked asks for a takeover and waits ``PATIENCE_S``: the
holder closes the upload if its own client has gone silent (the web looks for that, by ``is_takeover_requested``). Otherwise the waiting request gets
``Locked``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from backend import errors
from backend.core import tus
from backend.core.client_limits import ClientLimits
from backend.core.resumable import UploadInfo, UploadState
from backend.core.turns import client_of
from backend.flows import finish_upload, shares
from backend.flows.context import Context
from backend.flows.find_job import check_id
from backend.flows.receive_upload import Body, check_end, receive, receive_with_checksum
from backend.ports.resumable import Uploads, UploadWriter

log = logging.getLogger(__name__)
PATIENCE_S = 5.0
"""Longer than a silent holder takes to close (the web: about 2 s), shorter than a client's patience."""
RETRY_S = 0.1
PAGE = 500
USED_S = 3600
"""Parts are erased so many seconds after a final upload that was made of them has become a job."""
EMPTY_S = 3600
"""An upload of which no byte has come expires after so many seconds: clients send the first ones at once, and nothing is lost."""


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
        _finish(context, writer)
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
    uploads = _uploads(context)
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


def find(context: Context, upload_id: str, owner: str) -> tuple[UploadInfo, UploadState]:
    """Raises ``NotFound`` for an upload that is unknown, expired, erased, or of another owner: they all look the same."""
    check_id(upload_id)
    info, state = _uploads(context).find(upload_id)
    if info.owner != owner or expires_at(context, state) <= context.clock():
        raise errors.NotFound()
    return info, state


def expires_at(context: Context, state: UploadState) -> float:
    """Counted from the last progress. The record of a finished upload lives as long as its job. One without a byte does not live for long."""
    is_empty = state.offset_bytes == 0 and not state.is_complete
    return state.touched_at + (min(EMPTY_S, context.retention_s) if is_empty else context.retention_s)


@contextmanager
def open_writer(context: Context, upload_id: str, owner: str) -> Iterator[UploadWriter]:
    """The upload, locked. Raises ``NotFound``, ``Locked``."""
    find(context, upload_id, owner)
    writer = _lock(_uploads(context), upload_id)
    try:
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
            _finish(context, writer)
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
        _erase(context, writer.info)
        raise
    _finish(context, writer)
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
    discard(context, info)


def discard(context: Context, info: UploadInfo) -> None:
    """As ``terminate``, of an upload that is the caller's own. It may be gone already."""
    _erase(context, info)


def _erase(context: Context, info: UploadInfo) -> int:
    freed = _uploads(context).erase(info.id)
    shares.release_upload(context, info)
    return freed


def count_unfinished(context: Context) -> None:
    """Tell Redis of all unfinished uploads, client by client: it may have begun empty."""
    unfinished: dict[str, list[tuple[str, float]]] = {}
    for info, state in _uploads(context).all():
        if not state.has_job:
            unfinished.setdefault(client_of(info.client), []).append((info.id, expires_at(context, state)))
    for client, found in unfinished.items():
        for first in range(0, len(found), PAGE):
            context.client_uses.add_uploads(client, found[first : first + PAGE])


def sweep(context: Context) -> int:
    """Erase expired uploads, finish those that a killed process left complete; return the bytes freed. The janitor calls it."""
    freed = 0
    for info, state in _uploads(context).all():
        if expires_at(context, state) <= context.clock():
            freed += _erase(context, info)
        elif state.is_complete and not state.has_job and not info.is_partial:
            _finish_unlocked(context, info.id)
        elif state.has_job and info.is_final and state.touched_at + USED_S <= context.clock():
            freed += _erase_parts(context, info)
    return freed


def _erase_parts(context: Context, info: UploadInfo) -> int:
    """Erase what a final upload was put together of: it is a job now, and its client had time to ask once more."""
    freed = 0
    for part in tus.concat(info.concat or "")[1]:
        try:
            freed += _erase(context, find(context, part, info.owner)[0])
        except errors.NotFound:
            continue
    return freed


def _finish_unlocked(context: Context, upload_id: str) -> None:
    """A locked upload is left to the request that has it."""
    try:
        writer = _uploads(context).open(upload_id)
        if writer is None:
            return
        try:
            _finish(context, writer)
        finally:
            writer.close()
    except errors.GatewayError as error:
        log.info("the complete upload %s did not become a job: %s", upload_id, error)


def _finish(context: Context, writer: UploadWriter) -> None:
    finish_upload.finish(context, _uploads(context), writer)


def _uploads(context: Context) -> Uploads:
    assert context.uploads is not None, "this process takes no uploads"
    return context.uploads
