"""What a request asks to keep open, and the refusal where this server cannot: under some of Gunicorn's worker classes each open connection takes
a worker, or one of its threads, from everybody else (``ports.peer.Peer.can_hold``)."""

from __future__ import annotations

from typing import Any

from backend.core.cross_site import SOCKETS
from backend.errors import NoRealtime
from backend.ports.peer import KEY, Hold, Peer

STREAM, PLAIN_WEBSOCKET = "/events", "/ws"


def refusal(environ: dict[str, Any]) -> NoRealtime | None:
    peer: Peer | None = environ.get(KEY)
    kind = asked_for(environ)
    return None if peer is None or kind is None or peer.can_hold(kind) else NoRealtime()


def asked_for(environ: dict[str, Any]) -> Hold | None:
    path = environ.get("PATH_INFO", "")
    if environ.get("HTTP_UPGRADE", "").strip().lower() == "websocket" or path.endswith(PLAIN_WEBSOCKET):
        return "websockets"
    if path.startswith(SOCKETS):
        return "sessions"
    return "streams" if path.endswith(STREAM) else None
