"""A Socket.IO request for a session of another host: it is relayed there over the private network.

Behind a balancer that is not sticky, the requests of a session come to any host. The session id names its worker, and Redis has where that worker's
gateway listens (``installed``). A plain relay of bytes opens one connection there for one request: the head gets a mark, then both directions
are copied until the owner closes. Whichever worker of that host accepts it hands it on to the owner, as always (``session_handover``).

The mark carries the client's address, so that limits and logs count the client, and a MAC by a secret that only this deployment's processes know:
nobody else can give himself an address. What has a mark is not relayed again. Where the owner has gone, or cannot be reached, the request is
served here: it gets 400 with the reason, and the client opens a new session.
"""

from __future__ import annotations

import base64
import hmac
import json
import logging
from collections.abc import Callable
from typing import Any, Protocol

import gevent
from gevent import socket

from backend.server.connection import Connection, Connections
from backend.server.http.request_parser import BoundedRequest
from backend.server.socketio.handover_message import head_of
from backend.server.socketio.session_handover import foreign_owner
from backend.server.turns import turns

MARK = "X-GATEWAY-RELAYED"
CONNECT_S = 2.0
"""An owner that does not take a connection within this time counts as gone."""
SILENT_S = 60.0
"""Sockets and polls have a packet each ten seconds at least (``ping_interval``); what is silent for so long is dead."""
MAX_RELAYS = 1000
"""A worker. Each is two sockets and two greenlets; ``GUNICORN_WORKER_CONNECTIONS`` is 2000 by default."""
PIECE_BYTES = 64 << 10
log = logging.getLogger(__name__)


class SessionOwners(Protocol):
    """Neither method raises: who cannot be found is None."""

    def address_of(self, boot_id: str) -> tuple[str, int] | None:
        """Where other hosts reach the gateway of the worker with this boot id."""

    def secret(self, *, is_doubted: bool = False) -> bytes | None:
        """What all processes of this deployment know. ``is_doubted``: a mark did not fit it, so it may be another by now."""


installed: SessionOwners | None = None


def install(owners: SessionOwners | None) -> None:
    """Call it once in each worker process; None: nothing is relayed."""
    global installed
    installed = owners


class SessionRelay:
    """Of one worker."""

    def __init__(self, cfg: Any, connections: Connections) -> None:
        self._cfg, self._connections = cfg, connections
        self._upstreams: set[Any] = set()

    def recognize(self, request: BoundedRequest, connection: Connection) -> None:
        """Take the mark off a request. One that another host relayed is its client's from here on, and the last of its connection."""
        marks = [value for name, value in request.headers if name == MARK]
        if not marks:
            return
        request.headers = [each for each in request.headers if each[0] != MARK]
        address = _address_in(marks[0], request)
        if address is not None:
            self._connections.readdress(connection, address)
            connection.is_relayed = True
            connection.stop_keepalive()

    def relay(self, request: BoundedRequest, connection: Connection) -> bool:
        """Whether the request was the owner's. Then its connection is over."""
        owner = foreign_owner(request, self._cfg)
        if owner is None or installed is None or connection.is_relayed or len(self._upstreams) >= MAX_RELAYS:
            return False
        place, secret = installed.address_of(owner), installed.secret()
        upstream = _connect(place) if place is not None and secret is not None else None
        if upstream is None or secret is None:
            return False
        self._upstreams.add(upstream)
        connection.is_handed_over = True  # from here on the request is the owner's, and so is how the connection ends
        try:
            upstream.sendall(marked_head(request, connection.address, secret) + request.body.release_read_ahead())
            _copy_both_ways(connection.sock, upstream)
        except OSError as error:
            log.info("relay to %s ended: %s", place, error)
        finally:
            self._upstreams.discard(upstream)
            upstream.close()
        return True

    def close(self) -> None:
        """End all that is relayed: their clients come back to another worker."""
        for each in list(self._upstreams):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def marked_head(request: BoundedRequest, address: Any, secret: bytes) -> bytes:
    client = base64.urlsafe_b64encode(json.dumps(list(address) if isinstance(address, tuple) else "").encode()).decode()
    line, _, rest = head_of(request).partition(b"\r\n")
    return line + b"\r\n" + f"{MARK}: {_mac(secret, request, client)} {client}\r\n".encode() + rest


def _mac(secret: bytes, request: BoundedRequest, client: str) -> str:
    return hmac.new(secret, f"{request.method} {request.uri} {client}".encode(), "sha256").hexdigest()


def _address_in(mark: str, request: BoundedRequest) -> Any:
    """None for a mark that no process of this deployment made."""
    mac, _, client = mark.partition(" ")
    for is_doubted in (False, True):
        secret = installed.secret(is_doubted=is_doubted) if installed is not None else None
        if secret is not None and hmac.compare_digest(mac.encode(), _mac(secret, request, client).encode()):
            address = json.loads(base64.urlsafe_b64decode(client))
            return tuple(address) if isinstance(address, list) else address
    log.warning("a relayed request with a wrong mark is served as any other")
    return None


def _connect(place: tuple[str, int]) -> Any:
    try:
        upstream = socket.create_connection(place, CONNECT_S)
        upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return upstream
    except OSError as error:
        log.warning("the gateway at %s:%s, which has a Socket.IO session that was asked for here, cannot be reached: %s", *place, error)
        return None


def _copy_both_ways(client: Any, upstream: Any) -> None:
    """Until the owner closes, or either is silent for ``SILENT_S``."""
    client.settimeout(SILENT_S)
    upstream.settimeout(SILENT_S)
    upwards = gevent.spawn(_quietly(_copy), client, upstream)
    try:
        _copy(upstream, client)
    finally:
        upwards.kill()


def _copy(source: Any, target: Any) -> None:
    """Raises ``OSError``."""
    while piece := source.recv(PIECE_BYTES):
        target.sendall(piece)
        turns.give_turn()
    target.shutdown(socket.SHUT_WR)


def _quietly(copy: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    def run(source: Any, target: Any) -> None:
        try:
            copy(source, target)
        except OSError as error:
            log.debug("a client of a relay is gone: %s", error)

    return run
