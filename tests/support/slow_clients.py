"""Hundreds of clients that send or read too slowly, in a process of their own. None of them connects again.

    python -m tests.support.slow_clients KIND PORT COUNT SECONDS [PATH]

prints one line of JSON: how many were cut off by the server, and after how many seconds the first and the last of them.
"""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

ROOT = Path(__file__).resolve().parents[2]
ROUND_S = 1.0
LEFT = getattr(select, "POLLRDHUP", 0)
"""The server has closed its side, whether or not what it sent before was read."""
UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"


@dataclass(frozen=True)
class Kind:
    """What is sent first, and then once a second. ``reads``: what the server sends is read; else the client's window fills up."""

    first: str
    then: bytes = b""
    reads: bool = False


KINDS = {
    "heads": Kind("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ", b"y", reads=True),
    "bodies": Kind("POST /api/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9000000\r\n\r\n", b"y" * 100, reads=True),
    "forms": Kind(
        "POST /api/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000000\r\n\r\n--b\r\n",
        b"X: y\r\n",
        reads=True,
    ),
    "chunks": Kind("POST /api/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\ny\r\n", reads=True),
    "results": Kind("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
    "pipelines": Kind("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 50),
    "events": Kind("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n"),
    "websockets": Kind("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n" + UPGRADE + "\r\n"),
    "socketio": Kind("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\n" + UPGRADE + "\r\n"),
    "polling": Kind("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
    "errors": Kind("GET / HTTP/1.1\r\n\r\n", b"y"),
}


class Fates(TypedDict):
    opened: int
    cut: int
    first_s: float
    last_s: float


def torment(kind: Kind, port: int, count: int, seconds: float, path: str) -> Fates:
    clients = {client.fileno(): client for client in (connect(port) for _ in range(count))}
    begun_s = time.monotonic()
    for client in clients.values():
        client.sendall(kind.first.replace("{path}", path).encode())
    cut_s: list[float] = []
    poller = select.poll()
    for number in clients:
        poller.register(number, select.POLLIN if kind.reads else LEFT)
    next_s = begun_s + ROUND_S
    while clients and time.monotonic() < begun_s + seconds:
        for number, events in poller.poll(max(0.0, next_s - time.monotonic()) * 1000):
            if events & (LEFT | select.POLLHUP | select.POLLERR) or is_over(clients[number]):
                cut_s.append(time.monotonic() - begun_s)
                poller.unregister(number)
                clients.pop(number).close()
        if time.monotonic() >= next_s:
            next_s += ROUND_S
            drip(clients, kind.then)
    return Fates(opened=count, cut=len(cut_s), first_s=round(min(cut_s, default=0), 1), last_s=round(max(cut_s, default=0), 1))


def connect(port: int) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    return client


def is_over(client: socket.socket) -> bool:
    try:
        return not client.recv(4096)
    except OSError:
        return True


def drip(clients: dict[int, socket.socket], data: bytes) -> None:
    for client in clients.values() if data else ():
        try:
            client.send(data, socket.MSG_DONTWAIT)
        except OSError:
            pass  # the next round of poll says so


class SlowClients:
    """The same, begun; ``result`` waits for its end."""

    def __init__(self, kind: str, port: int, count: int, seconds: float, path: str = "/") -> None:
        command = [sys.executable, "-m", "tests.support.slow_clients", kind, str(port), str(count), str(seconds), path]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def result(self) -> Fates:
        said, _ = self._process.communicate()
        found: Fates = json.loads(said)
        return found


if __name__ == "__main__":
    print(json.dumps(torment(KINDS[sys.argv[1]], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5])))
