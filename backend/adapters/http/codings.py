"""Content codings of HTTP answers (RFC 9110 §8.4). None is asked for, but stores send what they were given with a file.

Unknown ones, such as ``aws-chunked``, ``binary`` or ``utf-8``, are passed over as browsers do: they describe how a file was sent to its store.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from itertools import chain

from backend import errors

GZIP_MAGIC = b"\x1f\x8b"
NAMES = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate"}
UNREADABLE = frozenset({"br", "zstd", "dcb", "dcz"})
"""Browsers know these, and the standard library of Python 3.11 does not."""
MAX_CODINGS = 5
"""One over the other, as many as curl undoes (CVE-2022-32206). Nobody is known to apply more than two."""
PIECE_BYTES = 1 << 16
"""What is decoded at once, so that a small answer cannot become much memory."""


class DecodingFailed(Exception):
    """The bytes are not of their coding, or end too early."""


def known_codings(header: str) -> tuple[str, ...]:
    """Those that are to be undone, the last that was applied first. Raises ``BadRequest`` for one that only others can read."""
    stated = [each.strip().lower() for each in header.split(",")]
    for each in stated:
        if each in UNREADABLE:
            raise errors.BadRequest("url_answer", answer=f"Content-Encoding: {each}")
    known = tuple(NAMES[each] for each in reversed(stated) if each in NAMES)
    if len(known) > MAX_CODINGS:
        raise errors.BadRequest("url_answer", answer=f"Content-Encoding: > {MAX_CODINGS}")
    return known


def decoded(chunks: Iterator[bytes], coding: str, check: Callable[[], None]) -> Iterator[bytes]:
    """In pieces of ``PIECE_BYTES`` at most. What follows the coding's end is not read. Raises ``DecodingFailed``, and what ``check`` raises.

    ``check`` is called for each piece: a few bytes may become pieces without end, none of which a later coding hands on.

    What is no gzip is passed on as it is: many a store has its images labelled so, and the images are sound.
    """
    head = b""
    while len(head) < len(GZIP_MAGIC) and (chunk := next(chunks, b"")):
        head += chunk
    window_bits = _window_bits(head, coding)
    if window_bits is None:
        yield from chain([head], chunks)
    else:
        yield from _inflated(chain([head], chunks), window_bits, check)


def _window_bits(head: bytes, coding: str) -> int | None:
    """As zlib wants them; deflate comes with zlib's header or, from some servers, without it."""
    if coding == "gzip":
        return zlib.MAX_WBITS | 16 if head.startswith(GZIP_MAGIC) else None
    has_header = len(head) > 1 and head[0] & 0x0F == zlib.DEFLATED and int.from_bytes(head[:2]) % 31 == 0  # RFC 1950 §2.2
    return zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS


def _inflated(chunks: Iterator[bytes], window_bits: int, check: Callable[[], None]) -> Iterator[bytes]:
    inflater = zlib.decompressobj(window_bits)
    for chunk in chunks:
        rest, piece = chunk, b""
        while rest or len(piece) == PIECE_BYTES:
            check()
            try:
                piece = inflater.decompress(rest, PIECE_BYTES)
            except zlib.error as error:
                raise DecodingFailed(str(error)) from error
            rest = inflater.unconsumed_tail
            if piece:
                yield piece
        if inflater.eof:
            return
    raise DecodingFailed("it ends too early")
