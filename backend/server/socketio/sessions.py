"""Socket.IO sessions as this worker sees them: whose they are, what python-engineio lets slip, and how they end.

A session id is ``<boot id>.<random>``. The boot id is drawn anew by every worker process (a process id would come round again),
so the id alone names the worker that owns the session: see ``session_handover``.
"""

from __future__ import annotations

import io
import logging
import os
import re
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakKeyDictionary

import gevent

from backend.errors import GatewayError
from backend.server import connection_limits
from backend.server.websocket.frames import WebSocket, text_frame

SESSION_ID = re.compile(r"([0-9a-f]{16})\.[A-Za-z0-9_-]{24}")
SID_FIELD = re.compile(r"(?:^|&)sid=([^&]*)")

OPENED = "gateway_opened_s"
"""What we note on a session: when it opened."""
PROTOCOL_ERROR = 1002
BINARY_PACKETS = ("5", "6")
"""BINARY_EVENT and BINARY_ACK of the Socket.IO protocol, version 5."""

log = logging.getLogger(__name__)

Environ = dict[str, Any]


class Boot:
    """This process's random id; a forked child draws its own."""

    def __init__(self) -> None:
        self._pid = 0
        self._id = ""

    @property
    def id(self) -> str:
        if self._pid != os.getpid():
            self._pid, self._id = os.getpid(), secrets.token_hex(8)
        return self._id


boot = Boot()


def new_session_id() -> str:
    return f"{boot.id}.{secrets.token_urlsafe(18)}"


def owner_of(query: str) -> str | None:
    """The boot id in the query's ``sid``, or ``None`` where there is none that we could have given out."""
    field = SID_FIELD.search(query)
    session_id = SESSION_ID.fullmatch(field[1]) if field else None
    return session_id[1] if session_id else None


class Sessions:
    """The Engine.IO server of this worker and the path it lives under."""

    def __init__(self, engineio: Any, path: str) -> None:
        self.path = path
        self._engineio = engineio

    def polling(self) -> int:
        return sum(not session.closed and not session.upgraded for session in self._engineio.sockets.values())

    def close_polling(self, older_than_s: float = 0.0) -> None:
        """End every session that polls: its waiting request is answered at once, and the client connects anew, elsewhere."""
        opened_before_s = time.monotonic() - older_than_s
        for session in list(self._engineio.sockets.values()):
            if not session.closed and not session.closing and not session.upgraded and getattr(session, OPENED, 0.0) <= opened_before_s:
                gevent.spawn(session.close, wait=False, reason=self._engineio.reason.SERVER_DISCONNECT)


installed: Sessions | None = None


def install(socketio: Any, path: str = "/socket.io/") -> None:
    """Prepare a Flask-SocketIO (after ``init_app``) or python-socketio server; call it once in each worker process.

    Works under any worker class; the sessions are shared between workers only under ours.
    """
    global installed
    server = getattr(socketio, "server", socketio)
    engineio = server.eio
    engineio.generate_id = new_session_id
    engineio.handle_request = guarded(engineio)
    engineio.handlers["message"] = checked(engineio)
    engineio._async = {**engineio._async, "websocket": remembered(engineio._async["websocket"])}
    engineio.send_packet = directly(engineio)
    engineio.handlers["connect"] = Openings(engineio, server.manager).watched(engineio.handlers["connect"])
    installed = Sessions(engineio, path)


def guarded(engineio: Any) -> Callable[[Environ, Any], Iterable[bytes]]:
    """``engineio.handle_request`` with 400 where python-engineio 4.15 fails.

    A POST to a session that is closed and not yet reaped raises ``KeyError`` (python-engineio#83); a POST that breaks off is
    logged with a traceback and answered 200; one in chunks is read as empty; garbage on a WebSocket raises ``ValueError``.
    """
    handle = engineio.handle_request

    def handle_request(environ: Environ, start_response: Any) -> Iterable[bytes]:
        try:
            if environ["REQUEST_METHOD"] == "POST":
                fetch_body(environ, engineio.max_http_buffer_size)
            return handle(environ, start_response)  # type: ignore[no-any-return]
        except KeyError:
            return bad_request(engineio, environ, start_response, "Session is disconnected")
        except GatewayError:
            return bad_request(engineio, environ, start_response, "Incomplete request body")
        except ValueError as error:
            if not (socket := environ.get("wsgi.websocket")):
                raise
            log.info("Socket.IO packet refused: %s", error)
            drop_session(engineio, environ)
            socket.close(PROTOCOL_ERROR)
            return []

    return handle_request


class Openings:
    """Sessions that have opened and joined no namespace yet. Whoever stays there is ended: it holds memory and answers pings for nothing."""

    def __init__(self, engineio: Any, manager: Any) -> None:
        self._engineio, self._manager = engineio, manager
        self._patience_s = connection_limits.current().session_connect_timeout_s
        self._opened: deque[tuple[float, str]] = deque()
        self._is_sweeping = False

    def watched(self, handle: Callable[[str, Environ], Any]) -> Callable[[str, Environ], Any]:
        """The connect handler, after which the session has ``patience_s``."""

        def connect(session_id: str, environ: Environ) -> Any:
            answer = handle(session_id, environ)
            setattr(self._engineio.sockets.get(session_id), OPENED, time.monotonic())
            self._opened.append((time.monotonic() + self._patience_s, session_id))
            if not self._is_sweeping:
                self._is_sweeping = True
                gevent.spawn(self._sweep)
            return answer

        return connect

    def _sweep(self) -> None:
        while self._opened:
            deadline, session_id = self._opened.popleft()
            gevent.sleep(max(0.0, deadline - time.monotonic()))
            session = self._engineio.sockets.get(session_id)
            if session is not None and not session.closed and not self._manager.sid_from_eio_sid(session_id, "/"):
                log.info("Socket.IO session ended: it joined no namespace within %g s", self._patience_s)
                gevent.spawn(session.close, wait=False, reason=self._engineio.reason.SERVER_DISCONNECT)
        self._is_sweeping = False


class Tally:
    """How much a session has said within the present window."""

    __slots__ = ("count", "limits", "since_s")

    def __init__(self) -> None:
        self.count, self.since_s, self.limits = 0, time.monotonic(), connection_limits.current()

    def is_too_much(self) -> bool:
        now = time.monotonic()
        if now - self.since_s >= self.limits.session_messages_window_s:
            self.count, self.since_s = 0, now
        self.count += 1
        return self.count > self.limits.session_messages


def checked(engineio: Any) -> Callable[[str, Any], None]:
    """The message handler. What python-socketio cannot decode ends the session instead of in a traceback; so does a flood, and so does
    anything binary, which no event of ours has: python-socketio gathers the attachments that a packet announces without a bound."""
    handle = engineio.handlers["message"]
    tallies: WeakKeyDictionary[Any, Tally] = WeakKeyDictionary()

    def message(session_id: str, data: Any) -> None:
        session = engineio.sockets.get(session_id)
        try:
            if session is not None and tallies.setdefault(session, Tally()).is_too_much():
                raise ValueError("too many messages")
            if not isinstance(data, str) or data[:1] in BINARY_PACKETS:
                raise ValueError("binary data")
            handle(session_id, data)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
            log.warning("Socket.IO message refused: %r", error)
            if session is not None:
                session.close(wait=False, reason=engineio.reason.TRANSPORT_ERROR)

    return message


def remembered(driver: type) -> type:
    """python-engineio's WebSocket driver, leaving its socket where ``directly`` finds it: on the session."""

    class Remembered(driver):  # type: ignore[misc]
        def __call__(self, environ: Environ, start_response: Any) -> Any:
            self.app.__self__.direct = environ.get("wsgi.websocket")
            return super().__call__(environ, start_response)

    return Remembered


def directly(engineio: Any) -> Callable[[str, Any], None]:
    """``engineio.send_packet`` without the detour: a client that keeps up gets the frame, encoded once for all who get this packet, in one
    system call, instead of by a queue and a greenlet of its own (which cost five times as much at ten thousand deliveries a second)."""
    send: Callable[[str, Any], None] = engineio.send_packet

    def send_packet(session_id: str, packet: Any) -> None:
        session = engineio.sockets.get(session_id)
        socket = getattr(session, "direct", None)
        if session is None or not session.upgraded or session.closing or not isinstance(socket, WebSocket) or packet.binary or session.queue.qsize():
            send(session_id, packet)
            return
        frame = getattr(packet, "frame", None)
        if frame is None:
            frame = packet.frame = text_frame(packet.encode())
        if not socket.send_now(frame):
            send(session_id, packet)

    return send_packet


def fetch_body(environ: Environ, most_bytes: int) -> None:
    """Have the whole body at hand, unless it is larger than python-engineio will take anyway."""
    if int(environ.get("CONTENT_LENGTH") or 0) > most_bytes:
        return
    body = bytearray()
    while len(body) <= most_bytes and (piece := environ["wsgi.input"].read(most_bytes + 1 - len(body))):
        body += piece
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))


def bad_request(engineio: Any, environ: Environ, start_response: Any, message: str) -> Iterable[bytes]:
    """In python-engineio's own form, so that its clients reconnect."""
    response = engineio._bad_request(message)
    start_response(response["status"], response["headers"] + engineio._cors_headers(environ))
    return [response["response"]]


def drop_session(engineio: Any, environ: Environ) -> None:
    field = SID_FIELD.search(environ.get("QUERY_STRING", ""))
    session = engineio.sockets.get(field[1]) if field else None
    if session is not None and not session.closed:
        session.close(wait=False, abort=True, reason=engineio.reason.TRANSPORT_ERROR)
