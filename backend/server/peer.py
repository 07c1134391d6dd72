"""``ports.peer.Peer`` for a request that our worker serves, and what this room itself asks of any peer."""

from __future__ import annotations

import select
from typing import Any, Protocol

from gevent import monkey
from gevent.event import Event

from backend.ports.peer import KEY, Hold, Note, Peer
from backend.server.connection import Connection
from backend.server.http.request_body import RequestBody, SocketChunk
from backend.server.websocket.websocket import WebSocket
from backend.server.wsgi import Environ

HANG_UP = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)


class ServedPeer(Peer, Protocol):
    """A peer of any worker class. ``notes`` has what the application noted for metrics and the access log."""

    notes: dict[Note, str]

    def begin_event_stream(self) -> None:
        """The answer is one that may last."""


class RequestPeer:
    """Answers from the request's connection and its body."""

    def __init__(self, connection: Connection, body: RequestBody, draining: Event) -> None:
        self.connection = connection
        self.body = body
        self.notes: dict[Note, str] = {}
        self._draining = draining

    @property
    def is_draining(self) -> bool:
        return self._draining.is_set()

    @property
    def listener_port(self) -> int | None:
        listener = self.connection.listener
        return int(listener[1]) if isinstance(listener, tuple) else None

    @property
    def websocket(self) -> WebSocket | None:
        return self.connection.websocket

    @property
    def received_bytes(self) -> int:
        return self.body.received_bytes

    @property
    def is_waiting(self) -> bool:
        return self.body.is_waiting

    def can_hold(self, kind: Hold) -> bool:
        return True

    def has_left(self) -> bool:
        return has_hung_up(self.connection.sock)

    def read(self, most_bytes: int) -> bytes:
        return self.body.read1(most_bytes)

    def next_chunk(self, *, is_fast: bool) -> SocketChunk | None:
        return self.body.next_chunk(is_fast=is_fast)

    def stop_reading(self) -> None:
        self.connection.stop_reading()

    def note(self, name: Note, value: str) -> None:
        self.notes[name] = value

    def begin_event_stream(self) -> None:
        self.connection.is_event_stream = True


def has_hung_up(sock: Any) -> bool:
    # gevent's own poll() reports reading and writing alone, not that a peer hung up.
    poller = monkey.get_original("select", "poll")()
    poller.register(sock.fileno(), HANG_UP)
    return bool(poller.poll(0))


def peer_of(environ: Environ) -> ServedPeer | None:
    """None in a Socket.IO handler, whose environment was cut down to what it needs."""
    peer: ServedPeer | None = environ.get(KEY)
    return peer
