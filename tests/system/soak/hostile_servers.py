"""Servers that a fetch should not meet: each address below one port misbehaves in its own way, and one serves a picture."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n"
MOST_S = 30.0
"""No connection is tormented for longer, so that threads do not pile up."""

Act = Callable[[socket.socket, float], None]


def repeat(first: bytes, then: bytes, pause_s: float = 0.0) -> Act:
    def act(client: socket.socket, end_s: float) -> None:
        client.sendall(first)
        while then and time.monotonic() < end_s:
            client.sendall(then)
            time.sleep(pause_s)

    return act


def keep_silent(client: socket.socket, end_s: float) -> None:
    while time.monotonic() < end_s:
        client.settimeout(max(0.1, end_s - time.monotonic()))
        if not client.recv(4096):
            return


def acts(picture: bytes) -> dict[str, Act]:
    bomb = gzip.compress(b"\0" * (100 << 20))
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    return {
        "picture": repeat(HEAD + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(picture) + picture, b""),
        "trailers": repeat(chunked + b"1\r\nx\r\n0\r\n", b"X: y\r\n" * 1000),
        "continue": repeat(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        "chunks": repeat(chunked, b"1\r\nx\r\n" * 1000),
        "headers": repeat(HEAD, b"X: y\r\n" * 1000),
        "drip": repeat(HEAD + b"Content-Length: 1000000\r\n\r\n", b"x", 0.5),
        "bomb": repeat(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb, b""),
        "loop": repeat(b"HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", b""),
        "broken": repeat(HEAD + b"Content-Length: 100\r\n\r\nabc", b""),
        "silence": keep_silent,
        "nonsense": repeat(b"\x16\x03\x01" * 100, b""),
    }


class HostileServers:
    """``port`` listens on loopback until the process ends."""

    def __init__(self, picture: bytes) -> None:
        self.acts = acts(picture)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            try:
                client.settimeout(5)
                path = client.recv(4096).split(b" ")[1].decode().strip("/")
                self.acts.get(path, keep_silent)(client, time.monotonic() + MOST_S)
            except (OSError, IndexError):
                pass
