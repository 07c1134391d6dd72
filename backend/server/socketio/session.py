"""An Engine.IO session that holds no greenlet once it is a WebSocket.

python-engineio has three for each: one reads, one writes, one waits for the time of the next ping. Here the loop reads (``WebSocket.keep``),
packets go to the socket without a queue of python-engineio's, and ``heartbeat`` pings all sessions. Under another worker class a WebSocket is not
ours; the session is then python-engineio's own in all but its pings.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from engineio import packet as packets
from engineio.exceptions import SocketIsClosedError, UnknownPacketError
from engineio.packet import Packet
from engineio.socket import Socket

from backend.server import connection_limits
from backend.server.turns import turns
from backend.server.websocket.frames import PROTOCOL_ERROR, message_frame
from backend.server.websocket.websocket import WebSocket
from backend.server.window_rate import WindowRate
from backend.server.wsgi import Environ

PONG = str(packets.PONG)
PROBE = "probe"

log = logging.getLogger(__name__)


class FrameQueue:
    """What a session has for its queue once it is a WebSocket. What is put goes out; None closes the socket."""

    __slots__ = ("_socket",)

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    def put(self, packet: Any) -> None:
        if packet is None:
            self._socket.close()
            return
        frame = getattr(packet, "frame", None)
        if frame is None:
            frame = packet.frame = message_frame(packet.encode())  # kept: the same packet may go to many
        self._socket.send_soon(frame)

    def qsize(self) -> int:
        return self._socket.waiting_frames


class Session(Socket):  # type: ignore[misc]
    """``last_ping``: when the ping went out that is not answered yet; None while there is none."""

    server: Any
    queue: Any
    last_ping: float | None
    connected: bool
    upgraded: bool
    upgrading: bool

    def __init__(self, server: Any, sid: str) -> None:
        super().__init__(server, sid)
        self.opened_s = time.monotonic()
        self.is_joined = False
        self._ping_due_s = 0.0
        self._messages: WindowRate | None = None
        self._socket: WebSocket | None = None

    def schedule_ping(self) -> None:
        """The last ping was answered."""
        if self.last_ping:
            self.last_ping = None
            self._ping_due_s = time.monotonic() + self.server.ping_interval

    def ping_if_due(self, now: float) -> None:
        """Or end the session of a client that has not answered the last one."""
        if self.last_ping is None and now >= self._ping_due_s:
            self.last_ping = time.time()
            self.send(Packet(packets.PING))
        else:
            self.check_ping_timeout()

    def send(self, packet: Any) -> None:
        if self.check_ping_timeout():
            self.queue.put(packet)
            turns.give_turn()

    def has_too_many_messages(self) -> bool:
        """With one more."""
        limits = connection_limits.current()
        self._messages = self._messages or WindowRate(limits.session_messages, limits.session_messages_window_s)
        return self._messages.is_exceeded_by_one_more()

    def _upgrade_websocket(self, environ: Environ, start_response: Any) -> Any:
        socket = environ.get("wsgi.websocket")
        if not isinstance(socket, WebSocket):
            return super()._upgrade_websocket(environ, start_response)
        if self.upgraded:
            raise OSError("upgraded already")
        socket.settimeout(self.server.ping_interval + self.server.ping_timeout)
        if self.connected and not self._is_probed(socket):
            return []
        self.connected = self.upgraded = True
        self.upgrading = False
        self._take_over(socket)
        return []

    def _is_probed(self, socket: WebSocket) -> bool:
        """A session that polled becomes a WebSocket by two packets (Engine.IO, “Upgrade”). Meanwhile nothing that is queued goes out."""
        self.upgrading = True
        try:
            ping = Packet(encoded_packet=socket.receive())
            if ping.packet_type != packets.PING or ping.data != PROBE:
                return False
            socket.send(Packet(packets.PONG, data=PROBE).encode())
            self.queue.put(Packet(packets.NOOP))  # ends the poll that waits
            return bool(Packet(encoded_packet=socket.receive()).packet_type == packets.UPGRADE)
        finally:
            self.upgrading = False

    def _take_over(self, socket: WebSocket) -> None:
        queued, self.queue, self._socket = self.queue, FrameQueue(socket), socket
        while queued.qsize():
            self.queue.put(queued.get())
        queued.put(None)  # ends a poll that should not be there
        socket.keep(self)

    def handle_now(self, message: str | bytes) -> bool:
        """As ``websocket.Handler``: a pong, which is all that most clients ever send."""
        if message != PONG:
            return False
        self.schedule_ping()
        return True

    def handle(self, message: str | bytes) -> None:
        """As ``websocket.Handler``."""
        try:
            packet = Packet(encoded_packet=message)
        except (ValueError, RecursionError) as error:
            log.info("Socket.IO packet refused: %s", error)
            self._refuse()
            return
        try:
            self.receive(packet)
        except UnknownPacketError:
            log.debug("a packet of no type")
        except SocketIsClosedError:
            self.queue.put(None)

    def ended(self) -> None:
        """As ``websocket.Handler``."""
        self.close(wait=False, abort=True, reason=self.server.reason.TRANSPORT_CLOSE)
        self.server.sockets.pop(self.sid, None)

    def _refuse(self) -> None:
        assert self._socket is not None
        self._socket.close(PROTOCOL_ERROR)
        self.close(wait=False, abort=True, reason=self.server.reason.TRANSPORT_ERROR)
