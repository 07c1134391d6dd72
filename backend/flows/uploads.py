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
from backend.core.resumable import Standing, Ticket
from backend.flows import conclude, ingest
from backend.flows.find import ID
from backend.flows.ingest import Sender
from backend.flows.world import World
from backend.ports import Stretch, Uploads, Writing

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
class Piece:
    """One PATCH: where it says it begins, the size it announces, the sum it must have (algorithm, digest), how many bytes if known."""

    offset_bytes: int
    length_bytes: int | None = None
    checksum: tuple[str, bytes] | None = None
    size_bytes: int | None = None


def create(world: World, ticket: Ticket, length_bytes: int | None) -> tuple[Ticket, Standing]:
    """Durable before it returns; the one of that id where there is one already. Raises ``TooLarge``, ``EmptyFile``, ``StorageFull``."""
    if length_bytes is not None:
        world.limits.check_bytes(length_bytes)
        if length_bytes == 0 and not ticket.is_partial:
            raise errors.EmptyFile()
    standing = Standing(world.clock(), length_bytes=length_bytes)
    return _created(world, ticket, standing) or find(world, ticket.id, ticket.owner)


def join(world: World, ticket: Ticket, parts: Sequence[str]) -> tuple[Ticket, Standing]:
    """A final upload of the partial ones, and the job it is; the one of that id where there is one already.

    Raises ``BadRequest``, ``NotFound``, ``TooLarge`` and what ``finish`` raises.
    """
    try:
        return stand(world, ticket.id, ticket.owner)
    except errors.NotFound:
        pass
    total = sum(_part_bytes(world, part, number, ticket.owner) for number, part in enumerate(parts, 1))
    world.limits.check_bytes(total)
    _created(world, ticket, Standing(world.clock(), offset_bytes=total, length_bytes=total), parts)
    with held(world, ticket.id, ticket.owner) as writing:
        finish(world, writing)
        return writing.ticket, writing.standing


def _created(world: World, ticket: Ticket, standing: Standing, parts: Sequence[str] = ()) -> tuple[Ticket, Standing] | None:
    """None where one of that id is there already. One that has expired and is not yet swept away makes room."""
    uploads = _uploads(world)
    if uploads.create(ticket, standing, parts):
        return ticket, standing
    known, earlier = uploads.look(ticket.id)
    if known.owner == ticket.owner and expires_at(world, earlier) <= world.clock():
        uploads.erase(ticket.id)
        if uploads.create(ticket, standing, parts):
            return ticket, standing
    return None


def _part_bytes(world: World, part: str, number: int, owner: str) -> int:
    ticket, standing = find(world, part, owner)
    if not ticket.is_partial or not standing.is_complete:
        raise errors.BadRequest("unfinished_part", number=number)
    return standing.offset_bytes


def find(world: World, upload_id: str, owner: str) -> tuple[Ticket, Standing]:
    """Raises ``NotFound``: unknown, expired, erased and somebody else's all look the same."""
    if not ID.fullmatch(upload_id):
        raise errors.NotFound()
    ticket, standing = _uploads(world).look(upload_id)
    if ticket.owner != owner or expires_at(world, standing) <= world.clock():
        raise errors.NotFound()
    return ticket, standing


def expires_at(world: World, standing: Standing) -> float:
    """Each step of progress begins the time anew; the record of a finished upload lives as long as its job."""
    return standing.touched_at + world.retention_s


@contextmanager
def held(world: World, upload_id: str, owner: str) -> Iterator[Writing]:
    """The upload in nobody else's hands. Raises ``NotFound``, ``Locked``."""
    find(world, upload_id, owner)
    writing = _opened(_uploads(world), upload_id)
    try:
        yield writing
    finally:
        writing.close()


def _opened(uploads: Uploads, upload_id: str) -> Writing:
    for _ in range(int(PATIENCE_S / TURN_S)):
        if (writing := uploads.open(upload_id)) is not None:
            return writing
        uploads.want(upload_id)
        time.sleep(TURN_S)
    raise errors.Locked("locked", retry_after_s=1)


def stand(world: World, upload_id: str, owner: str) -> tuple[Ticket, Standing]:
    """Where a client may go on. While somebody is sending, what is on disk by now. Raises ``NotFound`` and what ``finish`` raises."""
    ticket, standing = find(world, upload_id, owner)
    if standing.has_job or (ticket.is_partial and standing.is_complete):
        return ticket, standing
    try:
        with held(world, upload_id, owner) as writing:
            finish(world, writing)
            return writing.ticket, writing.standing
    except errors.Locked:
        return find(world, upload_id, owner)


def append(world: World, writing: Writing, piece: Piece, body: Iterable[bytes | Stretch]) -> Standing:
    """Take one piece, and make the job if it was the last.

    A piece that breaks off counts as far as it came, unless it has a checksum: then all of it or nothing.

    Raises ``Forbidden``, ``OffsetMismatch``, ``TooLarge``, ``ChecksumMismatch``, ``UnsupportedFormat``, ``StorageFull``, what ``body``
    raises and what ``finish`` raises.
    """
    _check(world, writing, piece)
    if piece.length_bytes is not None and writing.standing.length_bytes is None:
        writing.fix_length(piece.length_bytes, world.clock())
    try:
        _receive(world, writing, piece, body)
    except errors.UnsupportedFormat:
        _uploads(world).erase(writing.ticket.id)
        raise
    finish(world, writing)
    return writing.standing


def _check(world: World, writing: Writing, piece: Piece) -> None:
    standing = writing.standing
    if writing.ticket.is_final:
        raise errors.Forbidden("final_upload")
    if piece.offset_bytes != standing.offset_bytes:
        raise errors.OffsetMismatch(offset=standing.offset_bytes)
    if piece.length_bytes is not None:
        _check_length(world, standing, piece.length_bytes)
    _check_end(world, replace(standing, length_bytes=_length(standing, piece)), standing.offset_bytes + (piece.size_bytes or 0))
    world.store.check()


def _check_length(world: World, standing: Standing, length_bytes: int) -> None:
    """It is said once."""
    if length_bytes < standing.offset_bytes or standing.length_bytes not in (None, length_bytes):
        raise errors.BadRequest("header", header="Upload-Length", accepted=str(standing.length_bytes or f"≥ {standing.offset_bytes}"))
    world.limits.check_bytes(length_bytes)


def _length(standing: Standing, piece: Piece) -> int | None:
    return piece.length_bytes if standing.length_bytes is None else standing.length_bytes


def _check_end(world: World, standing: Standing, end_bytes: int) -> None:
    world.limits.check_bytes(end_bytes)
    if standing.length_bytes is not None and end_bytes > standing.length_bytes:
        raise errors.TooLarge("upload_length", limit_bytes=standing.length_bytes)


def _receive(world: World, writing: Writing, piece: Piece, body: Iterable[bytes | Stretch]) -> None:
    if piece.checksum is not None:
        _receive_whole(world, writing, piece.checksum, body)
        return
    kept_at = world.clock()
    try:
        for _ in _written(world, writing, body):
            now, unkept_bytes = world.clock(), writing.position_bytes - writing.standing.offset_bytes
            if now - kept_at >= (LEAST_CHECKPOINT_S if unkept_bytes >= CHECKPOINT_BYTES else CHECKPOINT_S):
                writing.checkpoint(kept_at := now)
    except (errors.BadRequest, errors.TooLarge):
        writing.keep(world.clock())
        raise
    writing.keep(world.clock())


def _receive_whole(world: World, writing: Writing, checksum: tuple[str, bytes], body: Iterable[bytes | Stretch]) -> None:
    algorithm, digest = checksum
    writing.sum_up(algorithm)
    for _ in _written(world, writing, body):
        pass
    if not hmac.compare_digest(writing.sum(), digest):
        writing.drop()
        raise errors.ChecksumMismatch("checksum", algorithm=algorithm, offset=writing.standing.offset_bytes)
    writing.keep(world.clock())


def _written(world: World, writing: Writing, body: Iterable[bytes | Stretch]) -> Iterator[None]:
    """Each chunk is written; the format is judged once enough is in."""
    is_judged = writing.ticket.is_partial or writing.position_bytes >= formats.SNIFF_BYTES
    for some in body:
        if isinstance(some, bytes):
            _check_end(world, writing.standing, writing.position_bytes + len(some))
            writing.write(some)
        else:
            some.draw(writing.pour, ingest.STRETCH_BYTES)
        del some  # nobody holds it while the next is waited for
        if not is_judged and writing.position_bytes >= formats.SNIFF_BYTES:
            ingest.readable(writing.head(formats.SNIFF_BYTES))
            is_judged = True
        yield


def finish(world: World, writing: Writing) -> None:
    """Make the job of a complete upload, unless it is made. Raises what ``ingest.accept`` raises: tried again later, or erased if ``HOPELESS``.

    An upload that is erased under this hand leaves no job.
    """
    ticket, standing = writing.ticket, writing.standing
    if not standing.is_complete or standing.has_job or ticket.is_partial:
        return
    try:
        if not _is_made(world, ticket.job_id):
            _make(world, writing)
    except HOPELESS:
        _uploads(world).erase(ticket.id)
        raise
    try:
        writing.conclude(world.clock())
    except errors.NotFound:
        conclude.erase(world, Job(world.store.manifest(ticket.job_id), Status()))
        raise


def _is_made(world: World, job_id: str) -> bool:
    """It was, if a process died just then; it may not be queued yet."""
    try:
        manifest = world.store.manifest(job_id)
    except errors.NotFound:
        return False
    if world.store.outcome(job_id) is None:
        ingest.queue(world, Job(manifest, Status()))
    return True


def _make(world: World, writing: Writing) -> None:
    ticket, upload = writing.ticket, writing.finished()
    try:
        known = ingest.readable(writing.head(formats.SNIFF_BYTES))
        received = ingest.judge(world, upload, known, ticket.filename)
        sender = Sender(ticket.owner, ticket.client, ticket.request_id, ticket.maker)
        ingest.accept(world, received, ticket.options, sender, job_id=ticket.job_id)
    except BaseException:
        upload.discard()
        raise


def terminate(world: World, upload_id: str, owner: str) -> None:
    """Erase it, even from under somebody who is sending to it. A job that was made of it is a thing of its own. Raises ``NotFound``."""
    find(world, upload_id, owner)
    _uploads(world).erase(upload_id)


def sweep(world: World) -> int:
    """The caretaker's round: erase what has expired, finish what a killed process left complete; the bytes freed."""
    freed = 0
    for ticket, standing in _uploads(world).all():
        if expires_at(world, standing) <= world.clock():
            freed += _uploads(world).erase(ticket.id)
        elif standing.is_complete and not standing.has_job and not ticket.is_partial:
            _finish_left(world, ticket.id)
    return freed


def _finish_left(world: World, upload_id: str) -> None:
    try:
        writing = _uploads(world).open(upload_id)
        if writing is None:
            return
        try:
            finish(world, writing)
        finally:
            writing.close()
    except errors.GatewayError as error:
        log.info("the complete upload %s did not become a job: %s", upload_id, error)


def _uploads(world: World) -> Uploads:
    assert world.uploads is not None, "this process takes no uploads"
    return world.uploads
