"""The WebSocket upgrade as a WSGI middleware: the application finds its socket by ``Peer.websocket`` (python-engineio by ``wsgi.websocket``).

The handshake is checked before the application is called: 400, or 426 for another version (RFC 6455 §4.2.1). It is answered as late as possible:
the 101 goes out with the first ``receive`` or ``send``. Until then the application may refuse like any other request, by ``start_response`` with a
401 or 404. python-engineio needs that: before its connect handlers have agreed it reads nothing but attributes such as ``path``.

After the 101, what the application returns as a response is dropped, and the socket is closed with 1000, or with 1011 if the application failed.
If the application has let the loop keep the socket (``WebSocket.keep``), the request ends and the socket lives on. The access log has one line for
it in either case, with status 101 and the whole duration.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from gunicorn.workers.base_async import ALREADY_HANDLED

from backend.errors import BackendUnavailable, BadRequest, GatewayError, UpgradeRequired
from backend.ports.peer import KEY
from backend.server.connection import Connection, Connections
from backend.server.http.error_response import refuse
from backend.server.peer import RequestPeer
from backend.server.websocket.endpoint import WebSocketClosed
from backend.server.websocket.websocket import WebSocket
from backend.server.wsgi import Environ, StartResponse, Wsgi, close_response

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
VERSION = "13"
INTERNAL_ERROR = 1011
RETRY_AFTER_S = 5

log = logging.getLogger(__name__)


class Handshake:
    """One upgrade request. It is accepted or refused once."""

    def __init__(self, start_response: StartResponse, key: str) -> None:
        self._start_response = start_response
        self._key = key
        self.is_accepted = False
        self.is_refused = False

    def accept(self) -> None:
        """Send the 101. Raises ``WebSocketClosed`` after a refusal."""
        if self.is_refused:
            raise WebSocketClosed("the upgrade was refused")
        self.is_accepted = True
        digest = base64.b64encode(hashlib.sha1(self._key.encode() + GUID).digest()).decode()
        write = self._start_response(
            "101 Switching Protocols", [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", digest)]
        )
        write(b"")

    def start_response(self, *args: Any, **kwargs: Any) -> Callable[[bytes], object]:
        """The application's own answer, which is a refusal unless the handshake was accepted."""
        if self.is_accepted:
            return lambda data: None
        self.is_refused = True
        return self._start_response(*args, **kwargs)


class Upgrade:
    """Wraps the application of one worker. At most ``capacity`` WebSockets are open at once. ``end`` is called for a kept one."""

    def __init__(self, app: Wsgi, connections: Connections, capacity: int, end: Callable[[Connection, bool], None]) -> None:
        self._app = app
        self._connections = connections
        self._capacity = capacity
        self._end = end

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if "websocket" not in tokens(environ, "HTTP_UPGRADE"):
            return self._app(environ, start_response)
        if has_wrong_version(environ):
            wrong = UpgradeRequired("header", header="Sec-WebSocket-Version", accepted=VERSION)
            return refuse(start_response, wrong, headers=(("Upgrade", "websocket"), ("Sec-WebSocket-Version", VERSION)))
        try:
            handshake = Handshake(start_response, check_handshake(environ))
            self._check_capacity()
        except GatewayError as error:
            return refuse(start_response, error)
        self._connections.websockets += 1
        response: Iterable[bytes] = []
        try:
            response = self._run(environ, handshake)
            return response
        finally:
            if response is not ALREADY_HANDLED:
                self._connections.websockets -= 1

    def _check_capacity(self) -> None:
        if self._connections.websockets >= self._capacity:
            raise BackendUnavailable(part="websocket", retry_after_s=RETRY_AFTER_S)

    def _run(self, environ: Environ, handshake: Handshake) -> Iterable[bytes]:
        peer: RequestPeer = environ[KEY]
        connection = peer.connection
        socket = WebSocket(
            connection.sock,
            environ.get("PATH_INFO", ""),
            accept=handshake.accept,
            pending=peer.body.release_read_ahead(),
            limits=connection.limits,
            on_end=partial(self._end_kept, connection),
        )
        connection.websocket = environ["wsgi.websocket"] = socket
        # Only ``socket`` may write to it from here on. And for each connection with this key, engine.io would define a class (middleware.py).
        environ.pop("gunicorn.socket", None)
        try:
            response = self._app(environ, handshake.start_response)
        except Exception as error:
            if not handshake.is_accepted:
                raise
            close_after_error(socket, error)
            response = []
        if not handshake.is_accepted:
            return response
        close_response(response)
        if socket.is_kept:
            connection.keep(environ)
            return ALREADY_HANDLED  # type: ignore[no-any-return]
        socket.close()
        socket.wait_for_reader()
        connection.must_linger = True
        return []

    def _end_kept(self, connection: Connection, was_cut: bool) -> None:
        self._connections.websockets -= 1
        self._end(connection, was_cut)


def tokens(environ: Environ, name: str) -> set[str]:
    return {token.strip().lower() for token in environ.get(name, "").split(",")}


def has_wrong_version(environ: Environ) -> bool:
    version = environ.get("HTTP_SEC_WEBSOCKET_VERSION")
    return version is not None and version.strip() != VERSION


def check_handshake(environ: Environ) -> str:
    """The client's key. Raises ``BadRequest``, which names the header that makes this no handshake (RFC 6455 §4.2.1)."""
    key: str = environ.get("HTTP_SEC_WEBSOCKET_KEY", "").strip()
    has_body = environ.get("CONTENT_LENGTH", "0") not in ("", "0") or "HTTP_TRANSFER_ENCODING" in environ
    for is_right, header, accepted in (
        (environ["REQUEST_METHOD"] == "GET" and environ["SERVER_PROTOCOL"] == "HTTP/1.1", "Upgrade", "GET, HTTP/1.1"),
        (bool(environ.get("HTTP_HOST")), "Host", "host[:port]"),
        ("upgrade" in tokens(environ, "HTTP_CONNECTION"), "Connection", "Upgrade"),
        (is_key(key), "Sec-WebSocket-Key", "16 bytes, base64"),
        ("HTTP_SEC_WEBSOCKET_VERSION" in environ, "Sec-WebSocket-Version", VERSION),
        (not has_body, "Content-Length", "0"),
    ):
        if not is_right:
            raise BadRequest("header", header=header, accepted=accepted)
    return key


def is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False


def close_after_error(socket: WebSocket, error: Exception) -> None:
    """The application raised while its socket was open. One log line, unless the peer simply left while something was sent to it."""
    if not isinstance(error, WebSocketClosed):
        log.error("WebSocket handler of %s failed", socket.path, exc_info=error)
    socket.close(INTERNAL_ERROR)
