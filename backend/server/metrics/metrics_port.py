"""The operator's own address (``GATEWAY_METRICS_BIND``): metrics and health are answered there, and nothing else, sockets neither."""

from __future__ import annotations

from collections.abc import Iterable

from backend.errors import NotFound
from backend.server.http.error_response import answer
from backend.server.websocket.upgrade import Environ, StartResponse, Wsgi

PATHS = frozenset(("/metrics", "/api/health", "/api/health/live", "/api/health/ready"))
LISTENER = "gateway.listener"
"""Where the request came in: address and port."""


class OperatorsDoor:
    """Wraps the whole application, Socket.IO included."""

    def __init__(self, app: Wsgi, port: int) -> None:
        self._app, self._port = app, port

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        listener = environ.get(LISTENER)
        is_operators = isinstance(listener, tuple) and listener[1] == self._port
        if not is_operators or environ.get("PATH_INFO") in PATHS:
            return self._app(environ, start_response)
        status, headers, body = answer(NotFound())
        start_response(status, headers)
        return [body]
