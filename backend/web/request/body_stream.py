"""The present request's body as it comes in, piece by piece. Nothing is held but one piece."""

from __future__ import annotations

import time
from collections.abc import Iterator

from flask import request

from backend import errors
from backend.ports.peer import Peer, SocketChunk
from backend.web.request import content_digest
from backend.web.request.peer import peer

CHUNK_BYTES = 1 << 18
SMALL_BODY_BYTES = 64 << 10
"""A body that is no image, and all option fields of a form together. The longest file name among them has 10 kB."""
GATHERED_BYTES = 4 << 10
FAST_READS = 2
FAST_BYTES_PER_S = 16 << 20
"""Since the body began. While the loop is busy, many slow senders fill their reads too, and a thread's turn for each would make it busier."""


def is_announced() -> bool:
    """Whether the request's headers say that it has a body. One in chunks may turn out to be empty."""
    return bool(request.content_length) or is_chunked()


def is_chunked() -> bool:
    """Whether the body's length is not known before its end."""
    return "Transfer-Encoding" in request.headers


def check_small() -> None:
    """Raises ``TooLarge`` where more than ``SMALL_BODY_BYTES`` are announced."""
    if (request.content_length or 0) > SMALL_BODY_BYTES:
        raise errors.TooLarge("body", limit_bytes=SMALL_BODY_BYTES)


def small_body() -> bytes:
    """The whole body. Raises ``TooLarge`` as soon as it has more than ``SMALL_BODY_BYTES``, and as ``chunks``."""
    check_small()
    body = bytearray()
    for chunk in chunks():
        body += chunk
        if len(body) > SMALL_BODY_BYTES:
            raise errors.TooLarge("body", limit_bytes=SMALL_BODY_BYTES)
    return bytes(body)


def checked_pieces() -> Iterator[bytes | SocketChunk]:
    """As ``pieces``, and checked against ``Content-Digest``. What has to be hashed is read, and never left to its socket."""
    return chunks() if "Content-Digest" in request.headers else pieces()


def chunks() -> Iterator[bytes]:
    """The body, all of it read. Raises ``BadRequest`` when it breaks off or has another digest than stated."""
    source, received_bytes, digests = peer(), 0, content_digest.stated_digests(request.headers.get("Content-Digest"))
    while chunk := _read(source):
        received_bytes += len(chunk)
        for each in digests:
            each.update(chunk)
        yield chunk
        del chunk  # frees it before the next is waited for
    _check_end(received_bytes)
    for each in digests:
        each.check()


def pieces() -> Iterator[bytes | SocketChunk]:
    """The body: a chunk that was read, then chunks that can be taken from the socket itself, as long as there are some, and so on.

    Raises ``BadRequest`` when it breaks off.
    """
    source, rate = peer(), SenderRate()
    while chunk := _read(source):
        rate.add(len(chunk))
        yield chunk
        del chunk  # frees it before the next is waited for
        while (more := source.next_chunk(is_fast=rate.is_fast)) is not None:
            yield more
            if not more.received_bytes:
                break
            rate.add(more.received_bytes)
    _check_end(rate.received_bytes)


def _read(source: Peer) -> bytes:
    """Empty at the end. HTTP chunks of a few bytes are gathered: each would cost what a large one does. Raises ``BadRequest`` where nothing came."""
    chunk = source.read(CHUNK_BYTES)
    if not is_chunked() or not chunk or len(chunk) >= GATHERED_BYTES:
        return chunk
    gathered = bytearray(chunk)
    try:
        while len(gathered) < GATHERED_BYTES and (chunk := source.read(CHUNK_BYTES)):
            gathered += chunk
    except errors.BadRequest:
        pass  # the next read raises it again
    return bytes(gathered)


class SenderRate:
    """A sender is fast if it filled the last two reads and has kept up ``FAST_BYTES_PER_S`` since its body began."""

    def __init__(self) -> None:
        self.received_bytes = 0
        self._filled_reads = 0
        self._begun_s = time.monotonic()

    def add(self, count: int) -> None:
        self.received_bytes += count
        self._filled_reads = self._filled_reads + 1 if count >= CHUNK_BYTES else 0

    @property
    def is_fast(self) -> bool:
        return self._filled_reads >= FAST_READS and self.received_bytes >= FAST_BYTES_PER_S * (time.monotonic() - self._begun_s)


def _check_end(received_bytes: int) -> None:
    if request.content_length is not None and received_bytes < request.content_length:
        raise errors.BadRequest("incomplete_body", received_bytes=received_bytes)
