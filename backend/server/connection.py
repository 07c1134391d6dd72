"""One accepted connection, and the set of all that a worker holds.

A connection is *fresh* until its first request, *idle* between two, *busy* while one is served. ``finish`` ends it so that the
peer can still read the last answer: closing a socket with unread input makes the kernel send a reset, which may overtake it.
"""

from __future__ import annotations

import socket
import struct
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import gevent

from backend.server import connection_limits as bounds_
from backend.server.connection_limits import Bounds
from backend.server.http.read_timeouts import HeadPace
from backend.server.http.request_body import YIELD_EVERY_BYTES, PacedParser, PacedRequest, PacedUnreader
from backend.server.websocket.frames import WebSocket

FRESH, IDLE, BUSY = "fresh", "idle", "busy"

ABORT = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close() resets instead of waiting for a dead reader


class Connection:
    """A client's socket with its parser. ``pending`` holds bytes that another worker had read from it."""

    def __init__(self, sock: Any, address: Any, listener: Any, cfg: Any, pending: bytes = b"") -> None:
        self.sock = sock
        self.address = address
        self.listener = listener
        self.bounds: Bounds = bounds_.current()
        self.state = FRESH
        self.opened_s = time.monotonic()
        self.sent_away_s: float | None = None
        self.greenlet = gevent.getcurrent()
        self.websocket: WebSocket | None = None
        self.must_linger = False
        self.is_given_away = False
        self.is_stream = False
        self._proxy_protocol_info: dict[str, Any] = {}
        self._keepalive_s: float = cfg.keepalive
        pace = HeadPace(self.bounds.header_timeout_s, self.bounds.header_timeout_s)
        unreader = PacedUnreader(sock, pace, self.bounds.response_idle_timeout_s, pending)
        self.parser = PacedParser(cfg, unreader, address, self.bounds)

    @property
    def host(self) -> str:
        return str(self.address[0]) if isinstance(self.address, tuple) else ""

    @property
    def is_waiting(self) -> bool:
        """Whether no byte of a request has come since the connection began or its last answer went out."""
        return self.state != BUSY and not self.parser.has_begun_head

    def requests(self) -> Iterator[PacedRequest]:
        while (request := self._next_request()) is not None:
            self._proxy_protocol_info = request.proxy_protocol_info or self._proxy_protocol_info
            request.proxy_protocol_info = self._proxy_protocol_info
            self.state = BUSY
            yield request
            self.state = IDLE
            self.is_stream = False

    def _next_request(self) -> PacedRequest | None:
        if self.state == FRESH:
            return self.parser.next_request(self.bounds.header_timeout_s)
        return self.parser.next_request(self._keepalive_s) if self._keepalive_s else None

    def resume(self, proxy_protocol_info: dict[str, Any]) -> None:
        """Go on where another worker stopped: its first request, and a PROXY line before it, are over."""
        self.parser.req_count = 1
        self._proxy_protocol_info = proxy_protocol_info

    def take_no_more(self) -> None:
        """Let the present request be the last, and say so in its answer where that is still possible."""
        self.parser.unreader.is_last = True

    def stop_reading(self) -> None:
        """End a wait for the peer's next bytes, as if it had closed."""
        _shut(self.sock, socket.SHUT_RD)

    def abort(self) -> None:
        """Let go of a peer that no longer listens."""
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        except OSError:
            pass
        _shut(self.sock, socket.SHUT_RDWR)

    def finish(self) -> None:
        request = self.parser.mesg
        if not self.is_given_away and (self.must_linger or (request is not None and request.body.has_unread)):
            linger(self.sock, self.bounds)
        self.sock.close()


class Connections:
    """All connections of one worker, and how many each address holds."""

    def __init__(self) -> None:
        self.by_socket: dict[Any, Connection] = {}
        self.websockets = 0
        self._by_host: Counter[str] = Counter()

    @property
    def all(self) -> list[Connection]:
        return list(self.by_socket.values())

    def add(self, connection: Connection) -> bool:
        """Count it in; whether its address may hold so many."""
        self.by_socket[connection.sock] = connection
        self._by_host[connection.host] += 1
        limit = connection.bounds.connections_per_address
        return not limit or not connection.host or self._by_host[connection.host] <= limit

    def remove(self, connection: Connection) -> None:
        self.by_socket.pop(connection.sock, None)
        self._by_host[connection.host] -= 1
        if not self._by_host[connection.host]:
            del self._by_host[connection.host]


def linger(sock: Any, bounds: Bounds) -> None:
    """Say that nothing more will come, then throw away what the peer still sends until it closes, within bounds (RFC 9112 §9.6)."""
    _shut(sock, socket.SHUT_WR)
    scrap = bytearray(65536)
    deadline = time.monotonic() + bounds.linger_s
    discarded = since_yield = 0
    try:
        while discarded < bounds.linger_bytes and (left_s := deadline - time.monotonic()) > 0:
            sock.settimeout(min(left_s, bounds.linger_idle_s))
            count = sock.recv_into(scrap)
            if not count:
                return
            discarded += count
            since_yield += count
            if since_yield >= YIELD_EVERY_BYTES:
                since_yield = 0
                gevent.sleep(0)
    except OSError:
        return


def _shut(sock: Any, how: int) -> None:
    try:
        sock.shutdown(how)
    except OSError:
        pass
