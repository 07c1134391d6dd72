"""Counts requests, their bytes and their seconds.

A request is counted when its answer begins, before its client can know of it. So a client that has an answer finds it counted, and what a killed
worker answered stays counted. The seconds end there too: how long a slow reader, an event stream or a WebSocket takes says nothing of the gateway.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from gunicorn.http.wsgi import FileWrapper
from gunicorn.workers.base_async import ALREADY_HANDLED

from backend.ports.peer import KEY
from backend.server.metrics.shared_counters import counters
from backend.server.peer import ServedPeer
from backend.server.socketio import sessions
from backend.server.wsgi import Environ, StartResponse, Wsgi, close_response

BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
NO_ROUTE = "none"
EVENT_STREAM = "text/event-stream"


class HttpMetrics:
    """Wraps the application of one worker."""

    def __init__(self, app: Wsgi) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        exchange = Exchange(environ, start_response)
        response: Iterable[bytes] = self._app(environ, exchange.start_response)
        if response is ALREADY_HANDLED:  # A WebSocket that lives on.
            return response  # type: ignore[no-any-return]
        is_file = isinstance(response, FileWrapper)
        if is_file:  # Gunicorn knows it by its type.
            exchange.count_sent(exchange.length_bytes)
            return response
        return CountedResponse(response, exchange.count_sent)


class CountedResponse:
    """A response that tells ``on_item`` the size of each item before it is sent."""

    def __init__(self, response: Iterable[bytes], on_item: Callable[[int], None]) -> None:
        self._response, self._on_item = response, on_item

    def __iter__(self) -> Iterator[bytes]:
        for item in self._response:
            self._on_item(len(item))
            yield item

    def close(self) -> None:
        close_response(self._response)


class Exchange:
    """One request and its answer."""

    def __init__(self, environ: Environ, start_response: StartResponse) -> None:
        self._environ, self._start_response = environ, start_response
        self._peer: ServedPeer = environ[KEY]
        self._begun_s = time.monotonic()
        self._route: str | None = None
        self.length_bytes = 0

    def start_response(self, status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        if self._route is None:
            self._count(status, headers)
        return self._start_response(status, headers, *more)

    def count_sent(self, count: int) -> None:
        if count and self._environ.get("REQUEST_METHOD") != "HEAD":
            counters.add(f"http_sent_bytes:{self._route}", count)

    def _count(self, status: str, headers: list[tuple[str, str]]) -> None:
        fields = {name.lower(): value for name, value in headers}
        self.length_bytes = int(fields.get("content-length", 0))
        self._route = self._peer.notes.get("route") or _own_route(self._environ)
        method = self._environ.get("REQUEST_METHOD", "")
        if code := self._peer.notes.get("code"):
            counters.add(f"problems:{code}")
        count_request(method, self._route, status[:3], time.monotonic() - self._begun_s, self._peer.received_bytes)
        if fields.get("content-type", "").startswith(EVENT_STREAM):
            self._peer.begin_event_stream()


def count_request(method: str, route: str, status: str, seconds: float = 0.0, received_bytes: int = 0) -> None:
    method = method if method in METHODS else "other"
    counters.add(f"http_requests:{method}:{route}:{status}")
    observe(f"http_seconds:{method}:{route}", seconds, BOUNDS_S)
    if received_bytes:
        counters.add(f"http_received_bytes:{route}", received_bytes)


def observe(name: str, value: float, bounds: tuple[float, ...]) -> None:
    """Add ``value`` to the histogram ``name``."""
    index = bisect_left(bounds, value)
    counters.add(f"{name}:le:{bounds[index] if index < len(bounds) else 'inf'}")
    counters.add(f"{name}:sum", value)


def _own_route(environ: Environ) -> str:
    """Socket.IO's path never reaches Flask, which notes all other routes."""
    ours = sessions.installed
    return "/socket.io" if ours is not None and environ.get("PATH_INFO") == ours.path else NO_ROUTE
