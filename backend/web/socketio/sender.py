"""Events to Socket.IO clients: encoded once for all readers that get the same, and bounded for a client that reads slowly.

Each client has a queue in Engine.IO. Once ``MAX_WAITING`` packets wait there, later states of a job replace each other here until the queue has
drained. So a slow reader gets the newest state and holds a bounded amount of memory, and no other client waits for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

import socketio
from engineio.packet import MESSAGE, Packet
from socketio.packet import EVENT

MAX_WAITING = 64
RETRY_S = 0.25
CACHED_PACKETS = 512


@dataclass(slots=True)
class Event:
    """The state of one thing. ``key`` is the id of a job or a batch; ``version`` tells two states of it apart; ``payload`` makes its JSON."""

    name: str
    key: str
    version: Hashable
    payload: Callable[[], dict[str, Any]]


@dataclass(slots=True)
class Backlog:
    """By key, the newest state that a slow client has yet to get."""

    packets: dict[str, Packet] = field(default_factory=dict)
    has_timer: bool = False


class EventSender:
    """One a process. Clients are named by their Engine.IO session id."""

    def __init__(self, server: socketio.Server) -> None:
        self._server = server
        self._packets: dict[tuple[str, str, Hashable], Packet] = {}
        self._backlogs: dict[str, Backlog] = {}

    def engineio_sid(self, sid: str) -> str:
        """Of a connected Socket.IO client."""
        return str(self._server.manager.eio_sid_from_sid(sid, "/"))

    def packet(self, event: Event) -> Packet:
        """Encoded the first time; the ``CACHED_PACKETS`` newest are kept."""
        index = (event.name, event.key, event.version)
        found = self._packets.get(index)
        if found is None:
            encoded = self._server.packet_class(EVENT, namespace="/", data=[event.name, event.payload()]).encode()
            found = self._packets[index] = Packet(MESSAGE, encoded)
            if len(self._packets) > CACHED_PACKETS:
                del self._packets[next(iter(self._packets))]
        return found

    def send(self, engineio_sid: str, key: str, packet: Packet) -> None:
        """At once; or, to a client that is behind, as the newest state of ``key`` when it has caught up."""
        backlog = self._backlogs.get(engineio_sid)
        if backlog is None and self._waiting(engineio_sid) < MAX_WAITING:
            self._server.eio.send_packet(engineio_sid, packet)
            return
        backlog = backlog or self._backlogs.setdefault(engineio_sid, Backlog())
        backlog.packets[key] = packet
        if not backlog.has_timer:
            backlog.has_timer = True
            self._retry_later(engineio_sid)

    def drop_backlog(self, engineio_sid: str) -> None:
        self._backlogs.pop(engineio_sid, None)

    def _waiting(self, engineio_sid: str) -> int:
        session = self._server.eio.sockets.get(engineio_sid)
        return int(session.queue.qsize()) if session is not None else 0

    def _retry_later(self, engineio_sid: str) -> None:
        timer = threading.Timer(RETRY_S, self._send_backlog, (engineio_sid,))
        timer.daemon = True
        timer.start()

    def _send_backlog(self, engineio_sid: str) -> None:
        backlog = self._backlogs.get(engineio_sid)
        if backlog is None:
            return
        if self._waiting(engineio_sid) > MAX_WAITING // 4:
            self._retry_later(engineio_sid)
            return
        del self._backlogs[engineio_sid]
        for packet in backlog.packets.values():
            self._server.eio.send_packet(engineio_sid, packet)
