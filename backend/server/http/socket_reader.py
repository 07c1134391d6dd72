"""Gunicorn's reader of a client's socket, with a timeout of ours for each read."""

from __future__ import annotations

import socket
import ssl
import time
from typing import Any

import gevent.socket
from gunicorn.http.unreader import SocketUnreader

from backend.server.connection_limits import KIB
from backend.server.http.read_timeouts import ReadTimeout, TooSlow
from backend.server.turns import turns


class TimedUnreader(SocketUnreader):  # type: ignore[misc]
    """Every ``recv`` asks ``timeout`` how long it may wait. ``is_last``: the connection serves no request after the present one."""

    max_body_chunk = 256 * KIB  # Gunicorn's own is 1 MiB. Hashed in one go on the loop, that takes milliseconds.

    def __init__(self, sock: Any, timeout: ReadTimeout, write_timeout_s: float, pending: bytes = b"") -> None:
        """``write_timeout_s`` is the socket's timeout outside of reads. ``pending`` is what was read from the socket before."""
        super().__init__(sock)
        self.timeout = timeout
        self.is_last = False
        self.is_waiting = False
        self._write_timeout_s = write_timeout_s
        self._received_bytes = len(pending)
        sock.settimeout(write_timeout_s)
        if pending:
            self.unread(pending)

    @property
    def is_tls(self) -> bool:
        return isinstance(self.sock, ssl.SSLSocket)

    @property
    def has_low_water_mark(self) -> bool:
        """Whether the kernel can wait with waking a reader until a number of bytes has come (``SO_RCVLOWAT``): over TCP it can."""
        return self.sock.family in (socket.AF_INET, socket.AF_INET6)

    @property
    def buffered_bytes(self) -> int:
        return int(self.buf.getbuffer().nbytes)

    @property
    def consumed_bytes(self) -> int:
        """How much of what came has been taken from the buffer, since the connection began."""
        return self._received_bytes - self.buffered_bytes

    def chunk(self, size_hint: int | None = None) -> bytes:
        """What the socket has. Raises ``TooSlow``."""
        self.sock.settimeout(self.timeout.wait_s())
        begun_s = time.monotonic()
        self.is_waiting = True
        try:
            data: bytes = super().chunk(size_hint)
        except TimeoutError:
            raise TooSlow from None
        finally:
            self.is_waiting = False
            self.sock.settimeout(self._write_timeout_s)
        self.timeout.add_received(len(data), time.monotonic() - begun_s)
        self._received_bytes += len(data)
        turns.give_turn()
        return data

    def gather(self, count: int, most_s: float) -> None:
        """As ``wait_for_bytes`` where that is possible, so that a sender of small packets does not wake the loop for each."""
        if self.has_low_water_mark and not self.is_tls and not self.buffered_bytes:
            self.wait_for_bytes(count, most_s)

    def wait_for_bytes(self, count: int, most_s: float) -> bool:
        """Whether so many bytes, or the end, come into the socket within ``most_s``. Reads nothing."""
        sock, begun_s = self.sock, time.monotonic()
        self.is_waiting = True
        try:
            wait_s = min(most_s, self.timeout.wait_s())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)
            try:
                gevent.socket.wait(sock._read_event, wait_s, TimeoutError())
            finally:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
            return True
        except (TooSlow, OSError):  # TimeoutError is an OSError. If the socket is broken, the next read says so.
            return False
        finally:
            self.is_waiting = False
            self.timeout.add_received(0, time.monotonic() - begun_s)
