"""One greenlet for the pings of all Engine.IO sessions; python-engineio has one for each, and one that looks for clients that are gone.

It ends sessions whose client answers no ping, and those that open and then join no namespace: they would hold memory and answer pings for ever.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import gevent

from backend.server import connection_limits
from backend.server.socketio.session import Session
from backend.server.turns import turns

EVERY_S = 1.0

log = logging.getLogger(__name__)


class Heartbeat:
    """Of one worker."""

    def __init__(self, engineio: Any, manager: Any) -> None:
        self._engineio, self._manager = engineio, manager
        self._connect_timeout_s = connection_limits.current().session_connect_timeout_s

    def install(self) -> None:
        """python-engineio starts it with the first session."""
        self._engineio._service_task = self._beat

    def _beat(self) -> None:
        while True:
            gevent.sleep(EVERY_S)
            now = time.monotonic()
            for session in list(self._engineio.sockets.values()):
                self._look_at(session, now)
                turns.give_turn()

    def _look_at(self, session: Session, now: float) -> None:
        if session.closed:
            self._engineio.sockets.pop(session.sid, None)
        elif not session.closing:
            try:
                session.ping_if_due(now)
                self._check_joined(session, now)
            except Exception as error:
                log.error("unexpected %r in a session's heartbeat", error, exc_info=error)

    def _check_joined(self, session: Session, now: float) -> None:
        if session.is_joined or session.closed or now - session.opened_s < self._connect_timeout_s:
            return
        session.is_joined = bool(self._manager.sid_from_eio_sid(session.sid, "/"))
        if not session.is_joined:
            log.info("Socket.IO session ended: it joined no namespace within %g s", self._connect_timeout_s)
            session.close(wait=False, reason=self._engineio.reason.SERVER_DISCONNECT)
