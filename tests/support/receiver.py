"""A receiver of webhooks that writes down what it is told, and hostile ones that hold on to whoever tells them."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Message:
    """One try, as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


@dataclass
class Receiver:
    """``answers`` says by path what is answered: a status, or several, one for each try of an event; else 204."""

    url: str
    answers: dict[str, list[int]] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, message: Message) -> int:
        with self.lock:
            earlier = sum(each.id == message.id for each in self.messages)
            self.messages.append(message)
        answers = self.answers.get(message.path.partition("?")[0], [204])
        return answers[min(earlier, len(answers) - 1)]

    def of(self, subject: str) -> list[Message]:
        """What was told of a job or a batch."""
        with self.lock:
            return [each for each in self.messages if each.event["data"]["id"] == subject]


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.take(Message(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _forever(data: bytes) -> Callable[[socket.socket], None]:
    def send(connection: socket.socket) -> None:
        while True:
            connection.sendall(data)

    return send


def _in_single_bytes(connection: socket.socket) -> None:
    for byte in b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 100_000:
        connection.sendall(bytes([byte]))


def _silent(connection: socket.socket) -> None:
    while connection.recv(1 << 16):
        pass


HOSTILE: dict[str, Callable[[socket.socket], None]] = {
    "silence": _silent,
    "endless headers": lambda connection: (connection.sendall(b"HTTP/1.1 200 OK\r\n"), _forever(b"a: b\r\n" * 1000)(connection))[1],
    "endless 100": _forever(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "an endless line": _forever(b"a" * 100_000),
    "single bytes": _in_single_bytes,
    "an endless body": lambda connection: (connection.sendall(b"HTTP/1.1 500 No\r\n\r\n"), _forever(b"a" * 100_000)(connection))[1],
    "no HTTP": lambda connection: connection.sendall(b"220 mail.example ESMTP\r\n\r\n"),
    "a closed connection": lambda connection: None,
}


@contextmanager
def hostile(kind: str) -> Iterator[str]:
    """Its address. Every connection is treated so until the other end closes it."""
    listener = socket.create_server(("127.0.0.1", 0))
    connections: list[socket.socket] = []

    def treat(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.recv(1 << 16)
            HOSTILE[kind](connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connections.append(connection)
                threading.Thread(target=treat, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for each in connections:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
