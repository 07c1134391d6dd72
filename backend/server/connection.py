"""One accepted connection, and the set of all that a worker holds.

A connection is *fresh* until its first request, *idle* between two requests, and *busy* while one is served. ``finish`` ends it so that the client
can still read the last answer: if a socket is closed with unread input, the kernel sends a reset, which may overtake that answer.
"""

from __future__ import annotations

import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import gevent

from backend.server import connection_limits
from backend.server.connection_limits import ConnectionLimits
from backend.server.http.read_timeouts import HeadTimeout
from backend.server.http.request_parser import BoundedParser, BoundedRequest
from backend.server.http.response_writer import ResponseWriter
from backend.server.http.socket_reader import TimedUnreader
from backend.server.turns import turns
from backend.server.websocket.websocket import WebSocket

FRESH, IDLE, BUSY = "fresh", "idle", "busy"

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER, on, zero seconds: ``close`` resets the connection instead of waiting for a client that no longer reads."""


class Connection:
    """A client's socket with its parser. ``pending`` is what another worker had read from it (``session_handover``)."""

    def __init__(self, sock: Any, address: Any, listener: Any, cfg: Any, pending: bytes = b"") -> None:
        self.sock = sock
        self.address = address
        self.listener = listener
        self.limits: ConnectionLimits = connection_limits.current()
        self.state = FRESH
        self.opened_s = time.monotonic()
        self.close_sent_s: float | None = None
        self.greenlet: Any = gevent.getcurrent()
        self.websocket: WebSocket | None = None
        self.must_linger = False
        self.is_handed_over = self.is_relayed = False
        self.is_event_stream = False
        self.upgrade: Upgraded | None = None
        self._proxy_protocol_info: dict[str, Any] = {}
        self._keepalive_s: float = cfg.keepalive
        timeout = HeadTimeout(self.limits.header_timeout_s, self.limits.header_timeout_s)
        unreader = TimedUnreader(sock, timeout, self.limits.response_idle_timeout_s, pending)
        self.writer = ResponseWriter(sock, self.limits)
        self.parser = BoundedParser(cfg, unreader, address, self.limits)

    @property
    def host(self) -> str:
        return str(self.address[0]) if isinstance(self.address, tuple) else ""

    @property
    def is_waiting(self) -> bool:
        """Whether no byte of a request has come since the connection began, or since its last answer."""
        return self.state != BUSY and not self.parser.has_begun_head

    @property
    def is_kept(self) -> bool:
        """Whether it is a WebSocket that no greenlet reads. It has no parser then, and no writer."""
        return self.upgrade is not None

    def keep(self, environ: dict[str, Any]) -> None:
        """Its greenlet ends, and nothing of the request is needed any more but what is logged at the end."""
        self.upgrade = Upgraded(environ)
        self.greenlet = None
        del self.parser, self.writer

    def requests(self) -> Iterator[BoundedRequest]:
        while (request := self._next_request()) is not None:
            self._proxy_protocol_info = request.proxy_protocol_info or self._proxy_protocol_info
            request.proxy_protocol_info = self._proxy_protocol_info
            self.state = BUSY
            self.writer.begin()
            yield request
            self.state = IDLE
            self.is_event_stream = False
            turns.give_turn()

    def _next_request(self) -> BoundedRequest | None:
        if self.state == FRESH:
            return self.parser.next_request(self.limits.header_timeout_s)
        return self.parser.next_request(self._keepalive_s) if self._keepalive_s else None

    def resume(self, proxy_protocol_info: dict[str, Any]) -> None:
        """Go on after another worker, which has read a PROXY line and served the first request."""
        self.parser.req_count = 1
        self._proxy_protocol_info = proxy_protocol_info

    def stop_keepalive(self) -> None:
        """Let the present request be the last. Its answer says so, if its head is not sent yet."""
        if self.websocket is None:
            self.parser.unreader.is_last = True

    def stop_reading(self) -> None:
        """End a wait for the client's next bytes, as if the client had closed its side."""
        _shutdown(self.sock, socket.SHUT_RD)

    def abort(self) -> None:
        """End it at once; what was not sent yet is lost."""
        self.reset_at_close()
        _shutdown(self.sock, socket.SHUT_RDWR)

    def reset_at_close(self) -> None:
        """Have the client see that its answer was cut off, also one whose end only a close would tell."""
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        except OSError:
            pass

    def finish(self) -> None:
        request = None if self.is_kept else self.parser.mesg
        if not self.is_handed_over and (self.must_linger or (request is not None and request.body.has_unread)):
            linger(self.sock, self.limits, request.body.left_bytes if request is not None else None)
        self.sock.close()


class Upgraded:
    """The request of a WebSocket that lives on, and its answer, for the access log. Many have the same strings; the query is left out."""

    __slots__ = ("_values", "begun_s")
    KEYS = ("REMOTE_ADDR", "REQUEST_METHOD", "PATH_INFO", "RAW_URI", "SERVER_PROTOCOL", "HTTP_USER_AGENT")
    status, headers, sent, response_length = "101 Switching Protocols", (), 0, None

    def __init__(self, environ: dict[str, Any]) -> None:
        self._values = tuple(sys.intern(str(environ.get(key, "")).partition("?")[0]) for key in self.KEYS)
        self.begun_s = time.monotonic()

    @property
    def environ(self) -> dict[str, str]:
        return dict(zip(self.KEYS, self._values, strict=True))


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
        """False where its address holds too many. It is counted all the same, until ``remove``."""
        self.by_socket[connection.sock] = connection
        self._by_host[connection.host] += 1
        limit = connection.limits.connections_per_address
        return not limit or not connection.host or self._by_host[connection.host] <= limit

    def readdress(self, connection: Connection, address: Any) -> None:
        """It is another client's than its peer is: a gateway on another host relays it."""
        self._forget_host(connection)
        connection.address = address
        self._by_host[connection.host] += 1

    def remove(self, connection: Connection) -> None:
        self.by_socket.pop(connection.sock, None)
        self._forget_host(connection)

    def _forget_host(self, connection: Connection) -> None:
        self._by_host[connection.host] -= 1
        if not self._by_host[connection.host]:
            del self._by_host[connection.host]


def linger(sock: Any, limits: ConnectionLimits, left_bytes: int | None) -> None:
    """Close our side, then throw away what the client still sends until it closes or a limit is reached (RFC 9112 §9.6).

    ``left_bytes`` of its body are to come; None where nobody knows.
    """
    most_bytes = limits.linger_bytes if left_bytes is not None and left_bytes > limits.linger_most_bytes else limits.linger_most_bytes
    _shutdown(sock, socket.SHUT_WR)
    scrap = bytearray(65536)
    begun_s = time.monotonic()
    discarded_bytes = 0
    try:
        while discarded_bytes < most_bytes:
            allowed_s = min(limits.linger_s + discarded_bytes / max(1, limits.body_min_bytes_per_s), limits.linger_most_s)
            if (left_s := begun_s + allowed_s - time.monotonic()) <= 0:
                return
            sock.settimeout(min(left_s, limits.linger_idle_s))
            count = sock.recv_into(scrap)
            if not count:
                return
            discarded_bytes += count
            turns.give_turn()
    except OSError:
        return


def _shutdown(sock: Any, how: int) -> None:
    try:
        sock.shutdown(how)
    except OSError:
        pass
