"""The metrics port (``GATEWAY_METRICS_BIND``): it answers metrics and health, and nothing else, Socket.IO neither."""

from __future__ import annotations

from collections.abc import Iterable

from backend.errors import NotFound
from backend.server.http.error_response import refuse
from backend.server.peer import peer_of
from backend.server.wsgi import Environ, StartResponse, Wsgi

PATHS = frozenset(("/metrics", "/api/health", "/api/health/live", "/api/health/ready"))


class MetricsPort:
    """Wraps the whole application, Socket.IO included."""

    def __init__(self, app: Wsgi, port: int) -> None:
        self._app, self._port = app, port

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        peer = peer_of(environ)
        is_metrics_port = peer is not None and peer.listener_port == self._port
        if not is_metrics_port or environ.get("PATH_INFO") in PATHS:
            return self._app(environ, start_response)
        return refuse(start_response, NotFound())
