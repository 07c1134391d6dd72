"""Guards around python-engineio (4.15), where a client's mistake would end in a traceback, a 500, or memory without a bound."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable
from typing import Any

from backend import texts
from backend.errors import GatewayError
from backend.server.socketio.session_ids import boot, owner_of, session_id_of
from backend.server.wsgi import Environ

PROTOCOL_ERROR = 1002
BINARY_PACKETS = ("5", "6")
"""BINARY_EVENT and BINARY_ACK of the Socket.IO protocol, version 5."""
ENDED = "Session is disconnected"

log = logging.getLogger(__name__)


def install(engineio: Any) -> None:
    guard_requests(engineio)
    guard_messages(engineio)
    guard_disconnect(engineio)
    guard_ended_polls(engineio)


def guard_requests(engineio: Any) -> None:
    """Let ``engineio.handle_request`` answer 400 where it fails.

    A POST to a session that is closed and not yet removed raises ``KeyError`` (python-engineio#83). A POST that breaks off is logged with a
    traceback and answered 200. A POST in chunks is read as empty. Garbage on a WebSocket raises ``ValueError``.
    """
    handle = engineio.handle_request

    def handle_request(environ: Environ, start_response: Any) -> Iterable[bytes]:
        if owner_of(environ.get("QUERY_STRING", "")) not in (None, boot.id):
            return bad_request(engineio, environ, start_response, texts.in_every_language("live.session_elsewhere"))
        try:
            if environ["REQUEST_METHOD"] == "POST":
                read_body(environ, engineio.max_http_buffer_size)
            response: Iterable[bytes] = handle(environ, start_response)
            return response
        except KeyError:
            return bad_request(engineio, environ, start_response, ENDED)
        except GatewayError:
            return bad_request(engineio, environ, start_response, "Incomplete request body")
        except ValueError as error:
            if not (socket := environ.get("wsgi.websocket")):
                raise
            log.info("Socket.IO packet refused: %s", error)
            drop_session(engineio, environ)
            socket.close(PROTOCOL_ERROR)
            return []

    engineio.handle_request = handle_request


def read_body(environ: Environ, max_bytes: int) -> None:
    """Replace ``wsgi.input`` by the whole body, unless it is larger than python-engineio will take anyway."""
    if int(environ.get("CONTENT_LENGTH") or 0) > max_bytes:
        return
    body = bytearray()
    while len(body) <= max_bytes and (piece := environ["wsgi.input"].read(max_bytes + 1 - len(body))):
        body += piece
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))


def bad_request(engineio: Any, environ: Environ, start_response: Any, message: str) -> Iterable[bytes]:
    """In python-engineio's own form, so that its clients open a new session."""
    response = engineio._bad_request(message)
    start_response(response["status"], response["headers"] + engineio._cors_headers(environ))
    return [response["response"]]


def drop_session(engineio: Any, environ: Environ) -> None:
    session_id = session_id_of(environ.get("QUERY_STRING", ""))
    session = engineio.sockets.get(session_id) if session_id is not None else None
    if session is not None and not session.closed:
        session.close(wait=False, abort=True, reason=engineio.reason.TRANSPORT_ERROR)


def guard_messages(engineio: Any) -> None:
    """End a session that sends what python-socketio cannot decode, that sends too much, or that sends anything binary.

    None of our events is binary, and python-socketio collects the attachments that a binary packet announces without a bound.
    """
    handle = engineio.handlers["message"]

    def message(session_id: str, data: Any) -> None:
        session = engineio.sockets.get(session_id)
        try:
            if session is not None and session.has_too_many_messages():
                raise ValueError("too many messages")
            if not isinstance(data, str) or data[:1] in BINARY_PACKETS:
                raise ValueError("binary data")
            handle(session_id, data)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
            log.warning("Socket.IO message refused: %r", error)
            if session is not None:
                session.close(wait=False, reason=engineio.reason.TRANSPORT_ERROR)

    engineio.handlers["message"] = message


def guard_disconnect(engineio: Any) -> None:
    """End a session without waiting until its client has fetched what is queued for it.

    python-engineio waits for that within the request that brought a body too long or a packet of no type: for ever, since that client need not poll.
    """

    def disconnect(session_id: str | None = None) -> None:
        ended = list(engineio.sockets.values()) if session_id is None else [engineio.sockets.get(session_id)]
        for session in ended:
            if session is not None:
                session.close(wait=False, reason=engineio.reason.SERVER_DISCONNECT)

    engineio.disconnect = disconnect


def guard_ended_polls(engineio: Any) -> None:
    """Answer 400, not an empty 200, to the poll of a session that ended while it waited. Every client opens a new session after that."""
    ok = engineio._ok

    def answer(packets: Any = None, headers: Any = None, jsonp_index: int | None = None) -> Any:
        if packets is not None and not packets:
            return engineio._bad_request(ENDED)
        return ok(packets, headers=headers, jsonp_index=jsonp_index)

    engineio._ok = answer
