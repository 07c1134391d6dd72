"""A Socket.IO request for a session of another worker: the connection itself goes to its owner.

Long polling needs every request of a session to reach the same worker, and Gunicorn's workers share one port. The worker that
finds a foreign session id passes the accepted socket by file descriptor (SCM_RIGHTS) over ``<run dir>/<boot id>.sock``, with
the request's head written again and whatever was read beyond it. The owner serves it as if it had accepted it, further
requests and upgrades included, and may hand it back. No byte is copied after that, and the client's address stays.

Law: once the descriptor has been sent the request is the owner's alone. Where it cannot be sent (the owner has gone), the
request is served here: python-engineio answers 400 and the client opens a new session.

Limits: one host; not with TLS inside the worker, whose state cannot be passed. The directory is private to the user (0700).
"""

from __future__ import annotations

import json
import logging
import os
import socket as plain_socket
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
from gevent import socket

from backend.server.connection import Connection
from backend.server.http.request_body import PacedRequest
from backend.server.socketio import sessions
from backend.server.socketio.sessions import boot, install, owner_of

__all__ = ["Handover", "install", "run_dir"]

RUN_DIR = "GATEWAY_RUN_DIR"
WORKERS_DIR = "GATEWAY_WORKERS_DIR"
SUFFIX = ".sock"
LENGTH = struct.Struct("!I")

# Far above any head that gunicorn's limits let through (100 fields of 8190 bytes) with its read-ahead.
PARCEL_BYTES = 2 * 1024 * 1024
BACKLOG = 1024

# A sibling that does not take a parcel within this time is as good as gone.
PARCEL_TIMEOUT_S = 2.0

# sun_path holds 108 bytes on Linux, 104 on macOS.
PATH_BYTES = 100

log = logging.getLogger(__name__)

Serve = Callable[[Connection], object]
Spawn = Callable[..., object]


class Handover:
    """This worker's end: gives foreign requests away, and serves its own in greenlets of ``spawn``."""

    def __init__(self, cfg: Any, spawn: Spawn, serve: Serve) -> None:
        self._cfg = cfg
        self._spawn = spawn
        self._serve = serve
        self._dir = run_dir()
        self._path = self._dir / f"{boot.id}{SUFFIX}"
        self._door: Any = None

    def open(self) -> None:
        sweep(self._dir)
        unfinished = self._path.with_suffix(".new")
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._door.bind(str(unfinished))
        self._door.listen(BACKLOG)
        unfinished.rename(self._path)  # a sibling's sweep never sees it before it listens
        gevent.spawn(self._welcome, self._door)

    def close(self) -> None:
        """Take nothing more in; what was already sent is still served."""
        if self._door is None:
            return
        self._path.unlink(missing_ok=True)
        self._door.close()
        self._door = None
        if shared_dir() is None:
            try:
                self._dir.rmdir()
            except OSError:
                pass  # siblings still use it

    def give_away(self, request: PacedRequest, connection: Connection) -> bool:
        """Whether the request has become another worker's."""
        owner = self._foreign_owner(request)
        if owner is None:
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
            peer.settimeout(PARCEL_TIMEOUT_S)
            try:
                peer.connect(str(self._dir / f"{owner}{SUFFIX}"))
            except OSError:
                return False
            try:
                send_parcel(peer, connection.sock.fileno(), pack(request, connection))
            except OSError as error:
                log.warning("hand-over to worker %s broke off: %s", owner, error)
        connection.is_given_away = True
        return True

    def _foreign_owner(self, request: PacedRequest) -> str | None:
        ours = sessions.installed
        if ours is None or request.path != ours.path or self._cfg.is_ssl:
            return None
        owner = owner_of(request.query)
        return owner if owner != boot.id else None

    def _welcome(self, door: Any) -> None:
        while True:
            try:
                peer, _ = door.accept()
            except OSError:
                return
            gevent.spawn(self._receive, peer)

    def _receive(self, peer: Any) -> None:
        with peer:
            peer.settimeout(PARCEL_TIMEOUT_S)
            try:
                fd, parcel = receive_parcel(peer)
            except EOFError:
                return  # a starting sibling's sweep
            except (OSError, ValueError) as error:
                log.warning("hand-over not understood: %s", error)
                return
        self._spawn(self._resume, socket.socket(fileno=fd), parcel)

    def _resume(self, client: Any, parcel: bytes) -> None:
        self._serve(unpack(parcel, client, self._cfg))


def shared_dir() -> Path | None:
    """The directory that outlives every worker: the supervisor's, or the one that ``gunicorn.conf.py`` made; None where there is neither."""
    given = os.environ.get(WORKERS_DIR) or os.environ.get(RUN_DIR)
    return Path(given) if given else None


def run_dir() -> Path:
    """The directory that the workers of one gunicorn share: the one that outlives them, or one named after the arbiter."""
    given = shared_dir()
    path = given or _temporary_dir() / f"webp-gateway-{os.geteuid()}-{os.getppid()}"
    path.mkdir(mode=0o700, parents=given is not None, exist_ok=True)
    state = path.lstat()
    if not path.is_dir() or path.is_symlink() or state.st_uid != os.geteuid() or state.st_mode & 0o077:
        raise RuntimeError(f"{path} must be a directory of this user alone (mode 0700); set {RUN_DIR} to one")
    if len(os.fsencode(path)) + 1 + 16 + len(SUFFIX) > PATH_BYTES:
        raise RuntimeError(f"{path} is too long for a unix socket; set {RUN_DIR} to a path of at most {PATH_BYTES - 22} bytes")
    return path


def _temporary_dir() -> Path:
    chosen = Path(tempfile.gettempdir())
    return chosen if len(os.fsencode(chosen)) <= 40 else Path("/tmp")


def sweep(directory: Path) -> None:
    """Remove what killed workers left: sockets at which nobody listens."""
    for path in directory.glob(f"*{SUFFIX}"):
        with plain_socket.socket(plain_socket.AF_UNIX, plain_socket.SOCK_STREAM) as probe:
            probe.setblocking(False)
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink(missing_ok=True)
            except OSError:
                pass  # busy, or gone already


def pack(request: PacedRequest, connection: Connection) -> bytes:
    envelope = {"address": connection.address, "listener": connection.listener, "proxy_protocol": request.proxy_protocol_info}
    pending: bytes = request.body.release()
    return json.dumps(envelope).encode() + b"\n" + head_of(request) + pending


def head_of(request: PacedRequest) -> bytes:
    """The head as it came, but for letter case; no longer than it was, so that it passes the same limits again."""
    major, minor = request.version
    lines = [f"{request.method} {request.uri} HTTP/{major}.{minor}", *(f"{name}:{value}" for name, value in request.headers)]
    text = "\r\n".join(lines) + "\r\n\r\n"
    return text.encode("latin-1")


def unpack(parcel: bytes, sock: Any, cfg: Any) -> Connection:
    """The connection as the other worker had it, before the request that it read."""
    first, _, pending = parcel.partition(b"\n")
    envelope = json.loads(first)
    connection = Connection(sock, _as_address(envelope["address"]), _as_address(envelope["listener"]), cfg, pending)
    connection.resume(envelope["proxy_protocol"])
    return connection


def _as_address(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def send_parcel(peer: Any, fd: int, parcel: bytes) -> None:
    plain_socket.send_fds(peer, [LENGTH.pack(len(parcel))], [fd])
    peer.sendall(parcel)


def receive_parcel(peer: Any) -> tuple[int, bytes]:
    """The descriptor and its bytes; ``EOFError`` for a caller that only knocked, ``ValueError`` for anything else."""
    head, fds, _, _ = plain_socket.recv_fds(peer, LENGTH.size, 4)
    try:
        if not head:
            raise EOFError
        if len(fds) != 1 or len(head) != LENGTH.size:
            raise ValueError("not a parcel")
        parcel = _receive_exactly(peer, LENGTH.unpack(head)[0])
        return fds.pop(), parcel
    finally:
        for fd in fds:
            os.close(fd)


def _receive_exactly(peer: Any, count: int) -> bytes:
    if count > PARCEL_BYTES:
        raise ValueError("parcel too large")
    parcel = bytearray()
    while len(parcel) < count:
        piece = peer.recv(count - len(parcel))
        if not piece:
            raise ValueError("parcel broke off")
        parcel += piece
    return bytes(parcel)
