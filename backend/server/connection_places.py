"""How many connections a worker holds at once. Each begins with a greenlet; a WebSocket may give its own up, and keeps its place."""

from __future__ import annotations

from typing import Any

import gevent
from gevent.pool import Group, Pool
from gevent.server import StreamServer


class ConnectionPlaces(Pool):
    """A pool of greenlets in which a place may outlive its greenlet. While none is free, nothing is accepted."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._keeping: set[Any] = set()

    def keep(self) -> None:
        """The present greenlet ends, and its place stays taken until ``release``."""
        self._keeping.add(gevent.getcurrent())

    def release(self) -> None:
        self._semaphore.release()  # type: ignore[attr-defined]

    def _discard(self, greenlet: Any) -> None:
        if greenlet in self._keeping:
            self._keeping.discard(greenlet)
            Group._discard(self, greenlet)  # type: ignore[attr-defined]
        else:
            super()._discard(greenlet)  # type: ignore[misc]


class ConnectionServer(StreamServer):
    """Closes no socket: ``Connection.finish`` does, and one that is kept outlives its greenlet."""

    def do_close(self, *_: Any) -> None:
        pass
