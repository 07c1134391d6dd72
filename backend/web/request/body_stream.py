"""The present request's body as it comes in, piece by piece. Nothing is held but one piece."""

from __future__ import annotations

import time
from collections.abc import Iterator

from flask import request

from backend import errors
from backend.ports.peer import SocketChunk
from backend.web.request import content_digest
from backend.web.request.peer import peer

CHUNK_BYTES = 1 << 18
FAST_READS = 2
FAST_BYTES_PER_S = 16 << 20
"""Since the body began. While the loop is busy, many slow senders fill their reads too, and a thread's turn for each would make it busier."""


def checked_pieces() -> Iterator[bytes | SocketChunk]:
    """As ``pieces``, and checked against ``Content-Digest``. What has to be hashed is read, and never left to its socket."""
    return chunks() if "Content-Digest" in request.headers else pieces()


def chunks() -> Iterator[bytes]:
    """The body, all of it read. Raises ``BadRequest`` when it breaks off or has another digest than stated."""
    source, received_bytes, digests = peer(), 0, content_digest.stated_digests(request.headers.get("Content-Digest"))
    while chunk := source.read(CHUNK_BYTES):
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
    while chunk := source.read(CHUNK_BYTES):
        rate.add(len(chunk))
        yield chunk
        del chunk  # frees it before the next is waited for
        while (more := source.next_chunk(is_fast=rate.is_fast)) is not None:
            yield more
            if not more.received_bytes:
                break
            rate.add(more.received_bytes)
    _check_end(rate.received_bytes)


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
