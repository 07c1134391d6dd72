"""The message by which one worker hands a connection to another, over a unix socket: a file descriptor with a length, then so many bytes.

The bytes are one line of JSON about the connection, the head of the request that was read, and whatever was read beyond it.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from typing import Any

from backend.server.connection import Connection
from backend.server.http.request_parser import BoundedRequest

LENGTH = struct.Struct("!I")
MAX_BYTES = 512 * 1024
"""Far above any head that is taken (64 KiB), with what was read beyond it."""


def pack(request: BoundedRequest, connection: Connection) -> bytes:
    places = {"address": connection.address, "listener": connection.listener, "relayed": connection.is_relayed}
    envelope = {**places, "proxy_protocol": request.proxy_protocol_info}
    pending: bytes = request.body.release_read_ahead()
    return json.dumps(envelope).encode() + b"\n" + head_of(request) + pending


def head_of(request: BoundedRequest) -> bytes:
    """The request's head as it came, but for upper and lower case. It is no longer than it was, so it passes the same limits again."""
    major, minor = request.version
    lines = [f"{request.method} {request.uri} HTTP/{major}.{minor}", *(f"{name}:{value}" for name, value in request.headers)]
    text = "\r\n".join(lines) + "\r\n\r\n"
    return text.encode("latin-1")


def unpack(message: bytes, sock: Any, cfg: Any) -> Connection:
    """The connection as it was before the other worker read the request."""
    first, _, pending = message.partition(b"\n")
    envelope = json.loads(first)
    connection = Connection(sock, _as_address(envelope["address"]), _as_address(envelope["listener"]), cfg, pending)
    connection.resume(envelope["proxy_protocol"])
    if envelope.get("relayed"):  # not there from a worker of an earlier version, while a reload is under way
        connection.is_relayed = True
        connection.stop_keepalive()
    return connection


def _as_address(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def send(sibling: Any, fd: int, message: bytes) -> None:
    """Raises ``OSError``."""
    socket.send_fds(sibling, [LENGTH.pack(len(message))], [fd])
    sibling.sendall(message)


def receive(sibling: Any) -> tuple[int, bytes]:
    """The file descriptor and the message. Raises ``OSError``, ``EOFError`` where nothing at all came, ``ValueError`` for anything else."""
    head, fds, _, _ = socket.recv_fds(sibling, LENGTH.size, 4)
    try:
        if not head:
            raise EOFError
        if len(fds) != 1 or len(head) != LENGTH.size:
            raise ValueError("not a hand-over")
        message = _receive_exactly(sibling, LENGTH.unpack(head)[0])
        return fds.pop(), message
    finally:
        for fd in fds:
            os.close(fd)


def _receive_exactly(sibling: Any, count: int) -> bytes:
    if count > MAX_BYTES:
        raise ValueError("the hand-over is too large")
    received = bytearray()
    while len(received) < count:
        piece = sibling.recv(count - len(received))
        if not piece:
            raise ValueError("the hand-over broke off")
        received += piece
    return bytes(received)
