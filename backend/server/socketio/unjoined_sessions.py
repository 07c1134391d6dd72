"""Ends Engine.IO sessions that open and then join no namespace: they would hold memory and answer pings for ever."""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import Any

import gevent

from backend.server import connection_limits
from backend.server.wsgi import Environ

OPENED = "gateway_opened_s"
"""The attribute in which a session keeps when it opened."""

log = logging.getLogger(__name__)


class UnjoinedSessions:
    """Looks at each session once, ``session_connect_timeout_s`` after it opened."""

    def __init__(self, engineio: Any, manager: Any) -> None:
        self._engineio, self._manager = engineio, manager
        self._timeout_s = connection_limits.current().session_connect_timeout_s
        self._opened: deque[tuple[float, str]] = deque()
        self._is_sweeping = False

    def install(self) -> None:
        handle = self._engineio.handlers["connect"]

        def connect(session_id: str, environ: Environ) -> Any:
            answer = handle(session_id, environ)
            self._add(session_id)
            return answer

        self._engineio.handlers["connect"] = connect

    def _add(self, session_id: str) -> None:
        now = time.monotonic()
        setattr(self._engineio.sockets.get(session_id), OPENED, now)
        self._opened.append((now + self._timeout_s, session_id))
        if not self._is_sweeping:
            self._is_sweeping = True
            gevent.spawn(self._sweep)

    def _sweep(self) -> None:
        """Runs while there are sessions to look at."""
        while self._opened:
            deadline, session_id = self._opened.popleft()
            gevent.sleep(max(0.0, deadline - time.monotonic()))
            session = self._engineio.sockets.get(session_id)
            if session is not None and not session.closed and not self._manager.sid_from_eio_sid(session_id, "/"):
                log.info("Socket.IO session ended: it joined no namespace within %g s", self._timeout_s)
                gevent.spawn(session.close, wait=False, reason=self._engineio.reason.SERVER_DISCONNECT)
        self._is_sweeping = False
