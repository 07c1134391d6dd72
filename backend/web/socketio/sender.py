"""Events to Socket.IO clients: encoded once for all readers that get the same, and bounded for a client that reads slowly.

Each client has a queue in Engine.IO. Once ``MAX_WAITING`` packets wait there, later states of a job replace each other here until the queue has
drained. So a slow reader gets the newest state and holds a bounded amount of memory, and no other client waits for it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import socketio
from engineio.packet import MESSAGE, Packet
from socketio.packet import EVENT

from backend.core.events import events_of
from backend.core.job import Job
from backend.core.reader import Reader

MAX_WAITING = 64
RETRY_S = 0.25
CACHED_PACKETS = 512
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(slots=True)
class Event:
    """The state of one thing. ``key`` is the id of a job or a batch; ``version`` tells two states of it apart; ``payload`` makes its JSON."""

    name: str
    key: str
    version: Hashable
    payload: Callable[[], dict[str, Any]]


class LivePacket(Packet):  # type: ignore[misc]
    """``thing``: what it is the state of. To a client that is behind, only the newest state of each goes."""

    def __init__(self, thing: str, encoded: str) -> None:
        super().__init__(MESSAGE, encoded)
        self.thing = thing


@dataclass(slots=True)
class Backlog:
    """By key, the newest state that a slow client has yet to get."""

    packets: dict[str, LivePacket] = field(default_factory=dict)
    has_timer: bool = False


def encode(name: str, payload: dict[str, Any]) -> str:
    """An event of the namespace ``/``, as Socket.IO's protocol has it. python-socketio's own looks for binary data first, which takes longer."""
    return f"{EVENT}{_ENCODER.encode([name, payload])}"


class EventSender:
    """One a process. Clients are named by their Engine.IO session id."""

    def __init__(self, server: socketio.Server) -> None:
        self._server = server
        self._packets: dict[tuple[str, str, Hashable], LivePacket] = {}
        self._backlogs: dict[str, Backlog] = {}
        self._job: Job | None = None
        self._job_packets: dict[Reader, list[LivePacket]] = {}

    def engineio_sid(self, sid: str) -> str:
        """Of a connected Socket.IO client."""
        return str(self._server.manager.eio_sid_from_sid(sid, "/"))

    def packet(self, event: Event) -> LivePacket:
        """Encoded the first time; the ``CACHED_PACKETS`` newest are kept."""
        index = (event.name, event.key, event.version)
        found = self._packets.get(index)
        if found is None:
            found = self._packets[index] = LivePacket(f"{event.name} {event.key}", encode(event.name, event.payload()))
            if len(self._packets) > CACHED_PACKETS:
                del self._packets[next(iter(self._packets))]
        return found

    def send_job(self, engineio_sid: str, job: Job, known: Reader) -> None:
        """The events of this state. It mostly goes to one reader after the other, so what was made for the last one lies at hand."""
        if job is not self._job:
            self._job, self._job_packets = job, {}
        packets = self._job_packets.get(known)
        if packets is None:
            version = (job.status.seq, job.status.state, known)
            packets = [self.packet(Event(each.name, job.id, version, partial(each.payload, job, known))) for each in events_of(job)]
            self._job_packets[known] = packets
        for packet in packets:
            self.send(engineio_sid, packet)

    def send(self, engineio_sid: str, packet: LivePacket) -> None:
        """At once; or, to a client that is behind, as the newest state of its thing when it has caught up."""
        session = self._server.eio.sockets.get(engineio_sid)
        if session is None or session.closed:
            return
        backlog = self._backlogs.get(engineio_sid) if self._backlogs else None
        if backlog is None and session.queue.qsize() < MAX_WAITING:
            session.send(packet)
            return
        backlog = backlog or self._backlogs.setdefault(engineio_sid, Backlog())
        backlog.packets[packet.thing] = packet
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
