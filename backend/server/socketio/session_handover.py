"""A Socket.IO request for a session of another worker: its connection is handed to that worker.

Long polling needs every request of a session to reach the same worker, and Gunicorn's workers share one port. So a worker that reads a request with
another's session id passes the client's socket to that worker, by file descriptor (SCM_RIGHTS) over ``<run dir>/<boot id>.sock``. With it goes the
request's head and whatever was read beyond it. The owner serves the connection as if it had accepted it, further requests and upgrades included,
and may hand it back. No byte is copied after that, and the client's address stays what it was.

Law: once the descriptor is sent, the request is the owner's alone. Where it cannot be sent, since the owner has gone or is on another host,
``session_relay`` is asked.

Limits: one host, and no TLS inside the worker, since its state cannot be passed on. The directory is private to the user (0700).
"""

from __future__ import annotations

import logging
import socket as plain_socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
from gevent import socket

from backend.server.connection import Connection
from backend.server.http.request_parser import BoundedRequest
from backend.server.run_dir import SOCKET_SUFFIX, lasting_dir, run_dir
from backend.server.socketio import handover_message, sessions
from backend.server.socketio.session_ids import boot, owner_of

BACKLOG = 1024
TIMEOUT_S = 2.0
"""A sibling that does not take a connection within this time counts as gone."""

log = logging.getLogger(__name__)

Serve = Callable[[Connection], object]
Spawn = Callable[..., object]


class SessionHandover:
    """Gives away the connections of other workers' sessions, and serves those that it is given with ``serve``, in greenlets of ``spawn``."""

    def __init__(self, cfg: Any, spawn: Spawn, serve: Serve) -> None:
        self._cfg = cfg
        self._spawn = spawn
        self._serve = serve
        self._dir = run_dir()
        self._path = self._dir / f"{boot.id}{SOCKET_SUFFIX}"
        self._listener: Any = None

    def open(self) -> None:
        remove_dead_sockets(self._dir)
        unfinished = self._path.with_suffix(".new")
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(unfinished))
        self._listener.listen(BACKLOG)
        unfinished.rename(self._path)  # A sibling that removes dead sockets never sees it before it listens.
        gevent.spawn(self._accept_all, self._listener)

    def close(self) -> None:
        """Take no more connections. What was sent already is still served."""
        if self._listener is None:
            return
        self._path.unlink(missing_ok=True)
        self._listener.close()
        self._listener = None
        if lasting_dir() is None:
            try:
                self._dir.rmdir()
            except OSError:
                pass  # Siblings still use it.

    def hand_over(self, request: BoundedRequest, connection: Connection) -> bool:
        """Whether the connection is another worker's now."""
        owner = foreign_owner(request, self._cfg)
        if owner is None:
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sibling:
            sibling.settimeout(TIMEOUT_S)
            try:
                sibling.connect(str(self._dir / f"{owner}{SOCKET_SUFFIX}"))
            except OSError:
                return False
            try:
                handover_message.send(sibling, connection.sock.fileno(), handover_message.pack(request, connection))
            except OSError as error:
                log.warning("hand-over to worker %s broke off: %s", owner, error)
        connection.is_handed_over = True
        return True

    def _accept_all(self, listener: Any) -> None:
        while True:
            try:
                sibling, _ = listener.accept()
            except OSError:
                return
            gevent.spawn(self._receive, sibling)

    def _receive(self, sibling: Any) -> None:
        with sibling:
            sibling.settimeout(TIMEOUT_S)
            try:
                fd, message = handover_message.receive(sibling)
            except EOFError:
                return  # A starting sibling, which only looked whether somebody listens.
            except (OSError, ValueError) as error:
                log.warning("hand-over not understood: %s", error)
                return
        self._spawn(self._resume, socket.socket(fileno=fd), message)

    def _resume(self, client: Any, message: bytes) -> None:
        self._serve(handover_message.unpack(message, client, self._cfg))


def foreign_owner(request: BoundedRequest, cfg: Any) -> str | None:
    """The boot id of another worker, if the request is for a session of one."""
    ours = sessions.installed
    if ours is None or request.path not in ours.raw_paths or cfg.is_ssl:
        return None
    owner = owner_of(request.query)
    return owner if owner != boot.id else None


def remove_dead_sockets(directory: Path) -> None:
    """Those that killed workers left: nobody listens at them."""
    for path in directory.glob(f"*{SOCKET_SUFFIX}"):
        with plain_socket.socket(plain_socket.AF_UNIX, plain_socket.SOCK_STREAM) as probe:
            probe.setblocking(False)
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink(missing_ok=True)
            except OSError:
                pass  # It is busy, or gone already.
