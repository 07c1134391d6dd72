"""A proxy before an HTTP service (an S3 server) that can be told to fail for a time, and how. It runs as a process of its own.

``FaultProxy`` starts one and tells it what to do. By hand, or inside a network namespace::

    python -m tests.support.fault_proxy 127.0.0.1 9000 127.0.0.1 8333
    curl -X POST 127.0.0.1:9000/__fault__ -d '{"kind": "status", "methods": ["PUT"], "status": 503, "code": "SlowDown"}'
    curl -X POST 127.0.0.1:9000/__fault__ -d null

Each connection carries one request, so that a new fault concerns the next request. Headers are passed on as they are: they are signed.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from tests.fakes.waiting import until
from tests.support.ports import LOCAL, answers, free_port

ROOT = Path(__file__).resolve().parents[2]
Kind = Literal["refuse", "hang", "status", "cut", "drip", "lose"]
CONTROL = "/__fault__"
LOOK_S = 0.1
CHUNK_BYTES = 64 << 10


@dataclass(frozen=True)
class Fault:
    """What happens to requests with one of ``methods`` ('' for all), below a path that holds ``path``, to ``share`` of them.

    ``refuse``: the connection is reset. ``hang``: no answer comes. ``status``: an error in S3's form. ``cut``: the answer ends after so many
    ``bytes`` of its body. ``drip``: it comes at so many bytes a second. ``lose``: the service does what was asked, and the answer is lost.
    """

    kind: Kind
    methods: tuple[str, ...] = ()
    path: str = ""
    status: int = 500
    code: str = "InternalError"
    bytes: int = 0
    share: float = 1.0
    times: int = sys.maxsize
    """So many requests, and no more."""

    def concerns(self, method: str, path: str) -> bool:
        return (not self.methods or method in self.methods) and self.path in path and random.random() < self.share


class FaultProxy:
    """``url`` stands for the service's. ``fail`` lasts until ``heal``, or for a block of ``failing``."""

    def __init__(self, target: str, host: str = LOCAL, port: int | None = None) -> None:
        self._host, self._port = host, port or free_port(host)
        self._target = target.removeprefix("http://")
        self.url = f"http://{self._host}:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> FaultProxy:
        to_host, _, to_port = self._target.partition(":")
        command = [sys.executable, "-m", "tests.support.fault_proxy", self._host, str(self._port), to_host, to_port]
        self._process = subprocess.Popen(command, cwd=ROOT)
        until(lambda: answers(self._port, self._host), 30)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def fail(self, fault: Fault) -> None:
        self._tell(json.dumps(asdict(fault)))

    def heal(self) -> None:
        self._tell("null")

    @contextmanager
    def failing(self, fault: Fault) -> Iterator[None]:
        self.fail(fault)
        try:
            yield
        finally:
            self.heal()

    def _tell(self, text: str) -> None:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=10)
        try:
            connection.request("POST", CONTROL, text.encode())
            assert connection.getresponse().status == 204
        finally:
            connection.close()


class Proxy:
    """What the process runs: a thread a connection."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._fault: Fault | None = None
        self._left = 0

    def serve(self, host: str, port: int) -> None:
        with socket.create_server((host, port), backlog=512) as listener:
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._handle, args=(client,), daemon=True).start()

    def _handle(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head, rest = _read_head(client)
            if not head:
                return
            method, path = head.split(b" ", 2)[:2]
            if path.decode() == CONTROL:
                self._obey(client, head, rest)
                return
            fault = self._fault
            if fault is not None and self._left > 0 and fault.concerns(method.decode(), path.decode()):
                self._left -= 1
                self._fail(client, head, rest, fault)
            else:
                self._pass_on(client, head, rest)

    def _obey(self, client: socket.socket, head: bytes, rest: bytes) -> None:
        told = json.loads(_read_body(client, head, rest))
        self._fault = Fault(**{**told, "methods": tuple(told.get("methods", ()))}) if told else None
        self._left = self._fault.times if self._fault else 0
        client.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    def _fail(self, client: socket.socket, head: bytes, rest: bytes, fault: Fault) -> None:
        if fault.kind == "refuse":
            _reset(client)
        elif fault.kind == "hang":
            while self._fault == fault and not _has_left(client):
                time.sleep(LOOK_S)
        elif fault.kind == "status":
            _send_error(client, head, rest, fault)
        else:
            self._pass_on(client, head, rest, fault)

    def _pass_on(self, client: socket.socket, head: bytes, rest: bytes, fault: Fault | None = None) -> None:
        with socket.create_connection(self._target, 30) as service:
            lines = [each for each in head.split(b"\r\n") if each and not each.lower().startswith(b"connection:")]
            service.sendall(b"\r\n".join([*lines, b"Connection: close", b"", b""]) + rest)
            answer = _Answer(client, fault)
            while True:
                ready, _, _ = select.select([client, service], [], [], 60)
                if not ready:
                    return
                if service in ready and not answer.send(service.recv(CHUNK_BYTES)):
                    return
                if client in ready:
                    body = client.recv(CHUNK_BYTES)
                    if not body:
                        return
                    service.sendall(body)


class _Answer:
    """The service's answer on its way to the client."""

    def __init__(self, client: socket.socket, fault: Fault | None) -> None:
        self._client, self._fault = client, fault
        self._head, self._body_bytes = b"", 0

    def send(self, data: bytes) -> bool:
        """Whether more is wanted."""
        fault = self._fault
        if fault is None:
            self._client.sendall(data)
            return bool(data)
        if fault.kind == "lose":
            if data.startswith(b"HTTP/1.1 100"):
                self._client.sendall(data)
                return True
            _reset(self._client)
            return False
        return bool(data) and self._send_part(data, fault)

    def _send_part(self, data: bytes, fault: Fault) -> bool:
        if not self._head.endswith(b"\r\n\r\n"):
            head, ends, data = (self._head + data).partition(b"\r\n\r\n")
            self._head = head + ends
            if not ends:
                return True
            self._client.sendall(self._head)
        if fault.kind == "drip":
            for at in range(len(data)):
                self._client.sendall(data[at : at + 1])
                time.sleep(1 / max(1, fault.bytes))
            return True
        part = data[: fault.bytes - self._body_bytes]
        self._body_bytes += len(part)
        self._client.sendall(part)
        return self._body_bytes < fault.bytes


def _read_head(client: socket.socket) -> tuple[bytes, bytes]:
    received = b""
    while b"\r\n\r\n" not in received:
        more = client.recv(CHUNK_BYTES)
        if not more:
            return b"", b""
        received += more
    head, _, rest = received.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", rest


def _read_body(client: socket.socket, head: bytes, rest: bytes) -> bytes:
    sizes = [int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while sizes and len(rest) < sizes[0]:
        more = client.recv(CHUNK_BYTES)
        if not more:
            break
        rest += more
    return rest


def _send_error(client: socket.socket, head: bytes, rest: bytes, fault: Fault) -> None:
    if b"100-continue" not in head.lower():
        _read_body(client, head, rest)
    body = f"<?xml version='1.0'?><Error><Code>{fault.code}</Code><Message>by order</Message></Error>".encode()
    kind = f"Content-Type: application/xml\r\nContent-Length: {len(body)}"
    answer = f"HTTP/1.1 {fault.status} Fault\r\n{kind}\r\nConnection: close\r\n\r\n".encode()
    client.sendall(answer if head.startswith(b"HEAD") else answer + body)


def _reset(client: socket.socket) -> None:
    """The client gets an RST (socket(7), SO_LINGER)."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _has_left(client: socket.socket) -> bool:
    """Reads and drops what still comes."""
    ready, _, _ = select.select([client], [], [], 0)
    return bool(ready) and not client.recv(CHUNK_BYTES)


if __name__ == "__main__":
    given_host, given_port, to_host, to_port = sys.argv[1:]
    Proxy((to_host, int(to_port))).serve(given_host, int(given_port))
