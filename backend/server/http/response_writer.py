"""Writes responses to a client's socket, and gives up on a client that reads too slowly.

Gunicorn calls ``sendall`` with whatever the application hands out, from a few bytes to blocks of 256 KiB. gevent's own has one timeout for all of
its bytes, so the larger a block was, the faster a client had to read. Here the rule is one rate for every kind of answer.
"""

from __future__ import annotations

import math
import os
import time
from typing import Any

from backend.server.connection_limits import KIB, ConnectionLimits
from backend.server.http.read_timeouts import RateTimeout, TooSlow
from backend.server.turns import turns

SEND_BYTES = 256 * KIB
"""The most that is copied into the kernel at once: well under a millisecond."""


class ResponseWriter:
    """What Gunicorn takes for the client's socket. ``has_begun``: a byte of the present response may have been sent."""

    def __init__(self, sock: Any, limits: ConnectionLimits) -> None:
        self.sock = sock
        self._limits = limits
        self.begin()

    def begin(self) -> None:
        """The next response: a client may have been slow with the last one."""
        limits = self._limits
        self._timeout = RateTimeout(limits.response_idle_timeout_s, limits.response_min_bytes_per_s, limits.response_idle_timeout_s)
        self.has_begun = False

    def sendall(self, data: bytes) -> None:
        """Raises ``TimeoutError`` for a client that is too slow, and any other ``OSError`` of the socket."""
        self.has_begun = True
        with memoryview(data) as left:
            sent_bytes = 0
            while sent_bytes < len(left):
                sent_bytes += self._send(left[sent_bytes : sent_bytes + SEND_BYTES])
                turns.give_turn()

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Gunicorn calls it where its setting ``sendfile`` is on. gevent's copies 8 KiB at a time."""
        at, end = offset, math.inf if count is None else offset + count
        while at < end and (block := os.pread(file.fileno(), int(min(SEND_BYTES, end - at)), at)):
            self.sendall(block)
            at += len(block)
        return at - offset

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def shutdown(self, how: int) -> None:
        self.sock.shutdown(how)

    def close(self) -> None:
        self.sock.close()

    def _send(self, piece: memoryview) -> int:
        try:
            self.sock.settimeout(self._timeout.wait_s())
        except TooSlow:
            raise TimeoutError("slow reader") from None
        begun_s = time.monotonic()
        try:
            count = int(self.sock.send(piece))
        finally:
            self.sock.settimeout(self._limits.response_idle_timeout_s)
        self._timeout.add_received(count, time.monotonic() - begun_s)
        return count
