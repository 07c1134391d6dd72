"""Counts requests, their bytes and their seconds.

A request is counted when its answer begins, before the client can know of it: whoever has an answer finds it counted, and what a killed
worker had answered stays counted. Its seconds end there too, so a slow reader, an event stream or a WebSocket says nothing about the gateway.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterable
from typing import Any

from gunicorn.http.wsgi import FileWrapper

from backend.ports.peer import KEY
from backend.server.http.chunked_writer import Sliced
from backend.server.metrics.shared_counters import tallies
from backend.server.peer import RequestPeer
from backend.server.socketio import sessions
from backend.server.wsgi import Environ, StartResponse, Wsgi

BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
NO_ROUTE = "none"
SSE = "text/event-stream"


class Metered:
    """Wraps the application of one worker."""

    def __init__(self, app: Wsgi) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        exchange = Exchange(environ, start_response)
        response: Iterable[bytes] = self._app(environ, exchange.start)
        is_file = isinstance(response, FileWrapper)
        if is_file:  # goes by sendfile, which sends in small blocks by itself
            exchange.sent(exchange.length)
            return response
        return Sliced(response, exchange.sent)


class Exchange:
    """One request and its answer."""

    def __init__(self, environ: Environ, start_response: StartResponse) -> None:
        self._environ, self._start_response = environ, start_response
        self._peer: RequestPeer = environ[KEY]
        self._begun_s = time.monotonic()
        self._route: str | None = None
        self.length = 0

    def start(self, status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        if self._route is None:
            self._count(status, headers)
        return self._start_response(status, headers, *more)

    def sent(self, count: int) -> None:
        if count and self._environ.get("REQUEST_METHOD") != "HEAD":
            tallies.add(f"http_sent_bytes:{self._route}", count)

    def _count(self, status: str, headers: list[tuple[str, str]]) -> None:
        said = {name.lower(): value for name, value in headers}
        self.length = int(said.get("content-length", 0))
        self._route = self._peer.notes.get("route") or _own_route(self._environ)
        method = self._environ.get("REQUEST_METHOD", "")
        count(method, self._route, status[:3], time.monotonic() - self._begun_s, self._peer.received_bytes)
        if said.get("content-type", "").startswith(SSE):
            self._peer.connection.is_stream = True


def count(method: str, route: str, status: str, seconds: float = 0.0, received_bytes: int = 0) -> None:
    method = method if method in METHODS else "other"
    tallies.add(f"http_requests:{method}:{route}:{status}")
    observe(f"http_seconds:{method}:{route}", seconds, BOUNDS_S)
    if received_bytes:
        tallies.add(f"http_received_bytes:{route}", received_bytes)


def observe(name: str, value: float, bounds: tuple[float, ...]) -> None:
    """Into a histogram."""
    index = bisect_left(bounds, value)
    tallies.add(f"{name}:le:{bounds[index] if index < len(bounds) else 'inf'}")
    tallies.add(f"{name}:sum", value)


def _own_route(environ: Environ) -> str:
    ours = sessions.installed
    return "/socket.io" if ours is not None and environ.get("PATH_INFO") == ours.path else NO_ROUTE
