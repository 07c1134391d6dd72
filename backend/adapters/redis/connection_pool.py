"""Connections to Redis: at most so many a process, and after a burst no more than are used.

redis-py's own pool opens a connection for each call that finds none free, refuses the hundred and first, and keeps them all for ever. Here a call
waits for a free connection, for a time; a connection that nobody needed for ``IDLE_S`` is closed. Redis serves one command at a time, so more
connections would answer nothing sooner.
"""

from __future__ import annotations

import time
from functools import cached_property
from queue import Empty, SimpleQueue
from typing import Any

import redis
from redis.connection import ConnectionPool
from redis.sentinel import Sentinel, SentinelConnectionPool

MAX_CONNECTIONS = 32
"""Enough to keep Redis busy: a call takes 0.2 ms. With nine workers that is 288 of the 10 000 that Redis takes."""
IDLE_S = 5.0


class BoundedPool(ConnectionPool):
    """``wait_s``: how long a call may wait for a connection; then it raises redis' ``ConnectionError``.

    ``_places`` holds one item for each connection that may still be taken. A semaphore of ``threading`` costs a call 2.6 µs under gevent, this 0.1.
    """

    def __init__(self, *, wait_s: float = 1.0, max_connections: int = MAX_CONNECTIONS, **more: Any) -> None:
        self._wait_s = wait_s
        self._idle_since: dict[int, float] = {}
        super().__init__(max_connections=max_connections, **more)

    def reset(self) -> None:
        """Also after a fork: the child begins without connections."""
        super().reset()
        self.__dict__.pop("_places", None)
        self._idle_since = {}

    @cached_property
    def _places(self) -> SimpleQueue[None]:
        """Made when it is first used: gevent's belongs to the loop of one process."""
        return places(self.max_connections)

    def get_connection(self, *given: Any, **more: Any) -> Any:
        self._checkpid()
        try:
            self._places.get(timeout=self._wait_s)
        except Empty:
            raise redis.ConnectionError(f"none of {self.max_connections} connections became free within {self._wait_s} s") from None
        return super().get_connection()  # one that fails to connect is released there

    def release(self, connection: Any) -> None:
        is_ours = connection in self._in_use_connections
        super().release(connection)
        if is_ours and connection.pid == self.pid:
            now = time.monotonic()
            self._idle_since[id(connection)] = now
            if self._is_idle_before(now - IDLE_S):
                self._close_idle(now - IDLE_S)
            self._places.put(None)

    def _is_idle_before(self, limit_s: float) -> bool:
        """The last to be released is the first to be taken again, so the first in the list has been idle for longest."""
        idle = self._available_connections[:1]
        return bool(idle) and self._idle_since.get(id(idle[0]), 0.0) < limit_s

    def _close_idle(self, limit_s: float) -> None:
        with self._lock:
            while self._is_idle_before(limit_s):
                connection = self._available_connections.pop(0)
                self._idle_since.pop(id(connection), None)
                self._created_connections -= 1
                connection.disconnect()


class BoundedSentinelPool(BoundedPool, SentinelConnectionPool):
    """The same, to whichever server the Sentinels call the primary."""

    def __init__(self, service: str, sentinels: Sentinel, **more: Any) -> None:
        super().__init__(service_name=service, sentinel_manager=sentinels, **more)


def places(count: int) -> SimpleQueue[None]:
    free: SimpleQueue[None] = SimpleQueue()
    for _ in range(count):
        free.put(None)
    return free
