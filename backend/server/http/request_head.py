"""Reads a request's head as a whole before Gunicorn's parser sees it.

Gunicorn searches what has come from the start, each time that a byte arrives: with a head of 800 KB that stops the loop for seconds. Here each byte
is looked at once, and a head has a bound. What is in it is Gunicorn's to judge.
"""

from __future__ import annotations

import struct
from typing import Protocol

from gunicorn.http.errors import InvalidProxyLine, LimitRequestHeaders
from gunicorn.http.message import PP_V2_SIGNATURE

END = b"\r\n\r\n"
PROXY_V1 = b"PROXY "
PROXY_V1_BYTES = 107
"""The longest line of the PROXY protocol, version 1 (its section 2.1)."""
PROXY_V2_HEADER_BYTES = 16


class Unreader(Protocol):
    def read(self) -> bytes:
        """What has come; empty at the end of the stream."""

    def unread(self, data: bytes) -> None:
        """Have ``data`` read again, first."""


def gather_head(unreader: Unreader, *, most_bytes: int, line_bytes: int, has_proxy_line: bool) -> None:
    """Wait until the whole head is in the unreader, or enough of it to refuse it. Raises ``LimitRequestHeaders``, ``InvalidProxyLine``."""
    head = bytearray()
    begin: int | None = None if has_proxy_line else 0
    searched = 0
    while piece := unreader.read():
        head += piece
        if begin is None and (begin := proxy_header_bytes(head)) is not None:
            searched = begin
        if begin is not None:
            if is_decided(head, begin, searched, line_bytes):
                break
            searched = max(begin, len(head))
            if len(head) - begin > most_bytes:
                raise LimitRequestHeaders(f"a head of more than {most_bytes} bytes")
    unreader.unread(bytes(head))


def is_decided(head: bytearray, begin: int, searched: int, line_bytes: int) -> bool:
    """Whether the parser needs no more than this: the head has ended, has a bare LF, or a request line that is too long.

    ``begin`` is where the head begins. What is before ``searched`` was looked at earlier.
    """
    since = searched - 1 if searched > begin and head[searched - 1] == ord("\r") else searched
    has_bare_lf = head.count(b"\n", since) != head.count(b"\r\n", since)
    is_long_line = len(head) - begin - 2 > line_bytes and head.find(b"\r\n", begin, begin + line_bytes + 2) < 0
    return has_bare_lf or is_long_line or head.find(END, max(begin, searched - len(END) + 1)) >= 0


def proxy_header_bytes(head: bytearray) -> int | None:
    """How long the PROXY protocol's header is; 0 where there is none, None where more must come. Raises ``InvalidProxyLine``."""
    if head.startswith(PP_V2_SIGNATURE[: len(head)]):
        if len(head) < PROXY_V2_HEADER_BYTES:
            return None
        size = PROXY_V2_HEADER_BYTES + int(struct.unpack_from(">H", head, PROXY_V2_HEADER_BYTES - 2)[0])
        return size if len(head) >= size else None
    if head.startswith(PROXY_V1[: len(head)]):
        end = head.find(b"\r\n", 0, PROXY_V1_BYTES)
        if end < 0 and len(head) >= PROXY_V1_BYTES:
            raise InvalidProxyLine(bytes(head[:PROXY_V1_BYTES]).decode("latin-1"))
        return end + 2 if end >= 0 else None
    return 0
