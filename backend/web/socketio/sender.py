"""Events to Socket.IO clients: encoded once for all who read the same language, and bounded for whoever reads slowly.

Each client has a queue in Engine.IO. Once ``MOST_WAITING`` packets wait there, further changes of a job only replace each other until the
queue has drained: a slow reader gets the newest state, never a growing past, and slows nobody.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import socketio
from engineio.packet import MESSAGE, Packet
from socketio.packet import EVENT

MOST_WAITING = 64
LOOK_AGAIN_S = 0.25
KEPT_PACKETS = 512


@dataclass(slots=True)
class Event:
    """``key`` names whose newest state it is (a job, a batch); ``version`` tells two states of it apart."""

    name: str
    key: str
    version: Hashable
    payload: dict[str, Any]


@dataclass(slots=True)
class Backlog:
    """The newest state of each thing that a slow client has yet to see."""

    packets: dict[str, Packet] = field(default_factory=dict)
    is_watched: bool = False


class Wire:
    """One a process."""

    def __init__(self, server: socketio.Server) -> None:
        self._server = server
        self._packets: dict[tuple[str, str, Hashable], Packet] = {}
        self._backlogs: dict[str, Backlog] = {}

    def address(self, sid: str) -> str:
        """Engine.IO's name for a connected client."""
        return str(self._server.manager.eio_sid_from_sid(sid, "/"))

    def known(self, name: str, key: str, version: Hashable) -> Packet | None:
        return self._packets.get((name, key, version))

    def packet(self, event: Event) -> Packet:
        """Encoded at the first use."""
        index = (event.name, event.key, event.version)
        found = self._packets.get(index)
        if found is None:
            encoded = self._server.packet_class(EVENT, namespace="/", data=[event.name, event.payload]).encode()
            found = self._packets[index] = Packet(MESSAGE, encoded)
            if len(self._packets) > KEPT_PACKETS:
                del self._packets[next(iter(self._packets))]
        return found

    def send(self, address: str, key: str, packet: Packet) -> None:
        """At once, or as the newest of ``key`` when the client has caught up."""
        backlog = self._backlogs.get(address)
        if backlog is None and self._waiting(address) < MOST_WAITING:
            self._server.eio.send_packet(address, packet)
            return
        backlog = backlog or self._backlogs.setdefault(address, Backlog())
        backlog.packets[key] = packet
        if not backlog.is_watched:
            backlog.is_watched = True
            self._look_later(address)

    def forget(self, address: str) -> None:
        self._backlogs.pop(address, None)

    def _waiting(self, address: str) -> int:
        socket = self._server.eio.sockets.get(address)
        return int(socket.queue.qsize()) if socket is not None else 0

    def _look_later(self, address: str) -> None:
        timer = threading.Timer(LOOK_AGAIN_S, self._look, (address,))
        timer.daemon = True
        timer.start()

    def _look(self, address: str) -> None:
        backlog = self._backlogs.get(address)
        if backlog is None:
            return
        if self._waiting(address) > MOST_WAITING // 4:
            self._look_later(address)
            return
        del self._backlogs[address]
        for packet in backlog.packets.values():
            self._server.eio.send_packet(address, packet)
