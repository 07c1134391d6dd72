"""The bytes of one PATCH on their way into a resumable upload."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator

from backend import errors
from backend.core import formats
from backend.core.resumable import UploadState
from backend.flows import ingest
from backend.flows.context import Context
from backend.ports.resumable import UploadWriter

CHECKPOINT_BYTES = 8 << 20
CHECKPOINT_S = 5.0
MIN_CHECKPOINT_S = 0.25
"""When a process is killed, its clients send again what came since the last checkpoint. One is made every ``CHECKPOINT_S``, and after
``CHECKPOINT_BYTES``, though no more often than every ``MIN_CHECKPOINT_S``."""
Body = Iterable[ingest.BodyPiece]


def receive(context: Context, writer: UploadWriter, body: Body) -> None:
    """Save the bytes. A body that breaks off counts as far as it came.

    Raises ``UnsupportedFormat`` as soon as the first bytes show it, ``TooLarge``, ``StorageFull``, and what ``body`` raises.
    """
    saved_at = context.clock()
    try:
        for _ in _write(context, writer, body):
            now, unsaved_bytes = context.clock(), writer.position_bytes - writer.state.offset_bytes
            if now - saved_at >= (MIN_CHECKPOINT_S if unsaved_bytes >= CHECKPOINT_BYTES else CHECKPOINT_S):
                writer.checkpoint(saved_at := now)
    except (errors.BadRequest, errors.TooLarge):
        writer.save(context.clock())
        raise
    writer.save(context.clock())


def receive_with_checksum(context: Context, writer: UploadWriter, checksum: tuple[str, bytes], body: Body) -> None:
    """Save all bytes, or none where they do not have this checksum (algorithm, digest). Raises as ``receive``, and ``ChecksumMismatch``."""
    algorithm, digest = checksum
    writer.start_checksum(algorithm)
    for _ in _write(context, writer, body):
        pass
    if not hmac.compare_digest(writer.checksum(), digest):
        writer.discard_unsaved()
        raise errors.ChecksumMismatch("checksum", algorithm=algorithm, offset=writer.state.offset_bytes)
    writer.save(context.clock())


def _write(context: Context, writer: UploadWriter, body: Body) -> Iterator[None]:
    """Yields after each chunk. The format is checked once enough of the upload has come."""
    is_known = writer.info.is_partial or writer.position_bytes >= formats.SNIFF_BYTES
    for piece in body:
        if isinstance(piece, bytes):
            check_end(context, writer.state, writer.position_bytes + len(piece))
            writer.write(piece)
        else:
            piece.receive_into(writer.receive_from_fd, ingest.SOCKET_CHUNK_BYTES)
        del piece  # nobody holds it while the next is waited for
        if not is_known and writer.position_bytes >= formats.SNIFF_BYTES:
            ingest.sniff_format(writer.read_head(formats.SNIFF_BYTES))
            is_known = True
        yield


def check_end(context: Context, state: UploadState, end_bytes: int) -> None:
    """Raises ``TooLarge`` for an upload that would reach ``end_bytes``."""
    context.limits.check_bytes(end_bytes)
    if state.length_bytes is not None and end_bytes > state.length_bytes:
        raise errors.TooLarge("upload_length", length_bytes=state.length_bytes)
