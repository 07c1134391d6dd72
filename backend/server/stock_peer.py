"""``ports.peer.Peer`` for a request under one of Gunicorn's own worker classes. It knows the WSGI environment, and mostly the client's socket.

There the body is read by the worker class, which waits for a slow client without an end. So each read has a time of its own here: that of
``connection_limits`` for so many bytes. A read asks for less while the client is slow, so that its progress shows.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event
from geventwebsocket.exceptions import WebSocketError
from gunicorn.http.errors import NoMoreData

from backend.errors import BadRequest
from backend.ports.peer import Hold, Note
from backend.server.connection_limits import KIB, ConnectionLimits
from backend.server.http.request_body import MALFORMED
from backend.server.peer import has_hung_up
from backend.server.turns import turns
from backend.server.wsgi import Environ

LEAST_READ_BYTES = KIB
FIRST_READ_BYTES = 8 * KIB
SLOW_READ_S = 0.25
"""A read that took longer is followed by a smaller one. Far below the second after which a silent upload gives way (``upload_body``)."""
READER_END_S = 1.0
LEAST_BYTES_PER_S = 512
"""The rate that a read is given time for where ``body_min_bytes_per_s`` is 0: a kibibyte in two seconds."""


class StockPeer:
    """``holds``: what this worker can keep open. ``has_to_end`` tells whether the worker ends."""

    def __init__(self, environ: Environ, holds: frozenset[Hold], limits: ConnectionLimits, has_to_end: Callable[[], bool]) -> None:
        self.notes: dict[Note, str] = {}
        self.received_bytes = 0
        self.is_waiting = False
        found = environ.get("wsgi.websocket")
        self.websocket = None if found is None else StockWebSocket(found)
        self._input = environ["wsgi.input"]
        self._socket: Any = environ.get("gunicorn.socket")
        self._port = environ.get("SERVER_PORT", "")
        self._holds, self._limits, self._has_to_end = holds, limits, has_to_end
        self._length_bytes = int(environ.get("CONTENT_LENGTH") or 0)
        self._next_bytes = FIRST_READ_BYTES

    @property
    def is_draining(self) -> bool:
        return self._has_to_end()

    @property
    def listener_port(self) -> int | None:
        return int(self._port) if str(self._port).isdigit() else None

    def can_hold(self, kind: Hold) -> bool:
        return kind in self._holds

    def has_left(self) -> bool:
        return self._socket is not None and has_hung_up(self._socket)

    def read(self, most_bytes: int) -> bytes:
        turns.give_turn()
        wanted_bytes = min(most_bytes, self._next_bytes)
        begun_s = time.monotonic()
        chunk = self._read_within(wanted_bytes, self._allowed_s(wanted_bytes))
        is_slow = time.monotonic() - begun_s > SLOW_READ_S
        self._next_bytes = max(LEAST_READ_BYTES, wanted_bytes // 4) if is_slow else wanted_bytes * 2
        self.received_bytes += len(chunk)
        return chunk

    def _allowed_s(self, count: int) -> float:
        limits = self._limits
        return max(limits.body_idle_timeout_s, limits.body_grace_s) + count / (limits.body_min_bytes_per_s or LEAST_BYTES_PER_S)

    def _read_within(self, wanted_bytes: int, seconds: float) -> bytes:
        """Raises ``BadRequest``."""
        self.is_waiting = True
        try:
            with gevent.Timeout(seconds, BadRequest("slow_body", min_bytes_per_s=self._limits.body_min_bytes_per_s)):
                chunk: bytes = self._input.read(wanted_bytes)
        except (NoMoreData, OSError) as error:
            raise BadRequest("incomplete_body", received_bytes=self.received_bytes) from error
        except MALFORMED as error:
            raise BadRequest(private=f"malformed chunked body: {error}") from error
        finally:
            self.is_waiting = False
        if not chunk and self.received_bytes < self._length_bytes:
            raise BadRequest("incomplete_body", received_bytes=self.received_bytes)
        return chunk

    def next_chunk(self, *, is_fast: bool) -> None:
        return None

    def stop_reading(self) -> None:
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RD)
            except OSError:
                pass

    def note(self, name: Note, value: str) -> None:
        self.notes[name] = value

    def begin_event_stream(self) -> None:
        pass


class StockWebSocket:
    """``ports.peer.WebSocket`` over gevent-websocket's own, which answers the handshake before the application is called."""

    def __init__(self, websocket: Any) -> None:
        self._socket = websocket
        self._is_idle = Event()
        self._is_idle.set()

    @property
    def closed(self) -> bool:
        return bool(self._socket.closed)

    def settimeout(self, seconds: float | None) -> None:
        self._socket.handler.socket.settimeout(seconds)

    def receive(self) -> str | bytes | None:
        self._is_idle.clear()
        try:
            message: str | bytes | None = self._socket.receive()
            return message
        except (WebSocketError, OSError, UnicodeError):
            return None
        finally:
            self._is_idle.set()

    def send(self, message: str) -> None:
        self._send(message, self._socket.OPCODE_TEXT)

    def ping(self) -> None:
        self._send("", self._socket.OPCODE_PING)

    def close(self, code: int) -> None:
        """The server closes the socket next. A greenlet that still waits for it then would end the whole worker (libev's assertion)."""
        try:
            self._send(code.to_bytes(2, "big"), self._socket.OPCODE_CLOSE)
            self._socket.handler.socket.shutdown(socket.SHUT_RD)
        except OSError:
            pass
        self._is_idle.wait(READER_END_S)

    def _send(self, message: str | bytes, opcode: int) -> None:
        try:
            self._socket.send_frame(message, opcode)
        except (WebSocketError, OSError) as error:
            raise ConnectionError(str(error)) from error
