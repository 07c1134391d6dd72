"""Connections to Redis: at most so many a process, and after a burst no more than are used.

redis-py's own pool opens a connection for each call that finds none free, refuses the hundred and first, and keeps them all for ever. Here a call
waits for a free connection, for a time; a connection that nobody needed for ``IDLE_S`` is closed. Redis serves one command at a time, so more
connections would answer nothing sooner.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import redis
from redis.connection import ConnectionPool

MAX_CONNECTIONS = 32
"""Enough to keep Redis busy: a call takes 0.2 ms. With nine workers that is 288 of the 10 000 that Redis takes."""
IDLE_S = 5.0


class BoundedPool(ConnectionPool):
    """``wait_s``: how long a call may wait for a connection; then it raises redis' ``ConnectionError``."""

    def __init__(self, *, wait_s: float = 1.0, max_connections: int = MAX_CONNECTIONS, **more: Any) -> None:
        self._wait_s = wait_s
        self._free = threading.BoundedSemaphore(max_connections)
        self._idle_since: dict[int, float] = {}
        super().__init__(max_connections=max_connections, **more)

    def reset(self) -> None:
        """Also after a fork: the child begins without connections."""
        super().reset()
        if hasattr(self, "max_connections"):
            self._free, self._idle_since = threading.BoundedSemaphore(self.max_connections), {}

    def get_connection(self, *given: Any, **more: Any) -> Any:
        self._checkpid()
        if not self._free.acquire(timeout=self._wait_s):
            raise redis.ConnectionError(f"none of {self.max_connections} connections became free within {self._wait_s} s")
        return super().get_connection()  # one that fails to connect is released there

    def release(self, connection: Any) -> None:
        is_ours = connection in self._in_use_connections
        super().release(connection)
        if is_ours and connection.pid == self.pid:
            self._idle_since[id(connection)] = time.monotonic()
            self._close_idle()
            self._free.release()

    def _close_idle(self) -> None:
        """The last to be released is the first to be taken again, so the first in the list have been idle for longest."""
        with self._lock:
            limit_s, idle = time.monotonic() - IDLE_S, self._available_connections
            while idle and self._idle_since.get(id(idle[0]), 0.0) < limit_s:
                connection = idle.pop(0)
                self._idle_since.pop(id(connection), None)
                self._created_connections -= 1
                connection.disconnect()
