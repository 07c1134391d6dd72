"""The Socket.IO sessions of this worker, and what is changed in python-engineio so that they can be shared, bounded and ended."""

from __future__ import annotations

import time
from typing import Any

import gevent
from engineio import socket as engineio_sockets

from backend.server.socketio import engineio_guards
from backend.server.socketio.heartbeat import Heartbeat
from backend.server.socketio.session import Session
from backend.server.socketio.session_ids import new_session_id


class Sessions:
    """The Engine.IO server of this worker, and the path of its requests. ``raw_paths`` are those that a proxy may ask for."""

    def __init__(self, engineio: Any, path: str, prefix: str) -> None:
        self.path = path
        self.raw_paths = frozenset((path, prefix + path))
        self._engineio = engineio

    def polling_count(self) -> int:
        return sum(not session.closed and not session.upgraded for session in self._engineio.sockets.values())

    def close_polling(self, older_than_s: float = 0.0) -> None:
        """End every session that polls. Its waiting request is answered 400 at once, and its client opens a new session, at another worker.

        It is sent no CLOSE packet, after which python-socketio (5.18) never connects again.
        """
        opened_before_s = time.monotonic() - older_than_s
        for session in list(self._engineio.sockets.values()):
            if not session.closed and not session.closing and not session.upgraded and session.opened_s <= opened_before_s:
                gevent.spawn(session.close, wait=False, abort=True, reason=self._engineio.reason.SERVER_DISCONNECT)


installed: Sessions | None = None


def install(socketio: Any, path: str = "/socket.io/", prefix: str = "") -> None:
    """Prepare a Flask-SocketIO (after its ``init_app``) or a python-socketio server. Call it once in each worker process. ``prefix``: see
    ``server/path_prefix``.

    It works under any worker class; only ours shares the sessions between workers.
    """
    global installed
    server = getattr(socketio, "server", socketio)
    engineio = server.eio
    engineio.generate_id = new_session_id
    engineio_guards.install(engineio)
    engineio_sockets.Socket = Session  # python-engineio's server asks nowhere else for the class of its sessions
    Heartbeat(engineio, server.manager).install()
    installed = Sessions(engineio, path, prefix)
