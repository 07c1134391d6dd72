"""A real gunicorn with our worker class around ``sample_app``, and a wire to speak to it byte by byte."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
WORKER = "backend.server.worker.BoundedGeventWebSocketWorker"

T = TypeVar("T")


def wait_for(state: Callable[[], T], what: str, deadline_s: float = 30.0) -> T:
    """Ask until ``state`` is true and give it back."""
    until = time.monotonic() + deadline_s
    while not (value := state()):
        assert time.monotonic() < until, f"not within {deadline_s} s: {what}"
        time.sleep(0.02)
    return value


class Gateway:
    def __init__(self, *arguments: str, workers: int = 3, bind: str = "", worker_class: str = WORKER, app: str = "sample_app", **limits: Any) -> None:
        self.run_dir = tempfile.TemporaryDirectory(prefix="gw-")
        self._wires: list[Wire] = []
        self.port = free_port()
        self.bind = bind or f"127.0.0.1:{self.port}"
        self.log_path = Path(self.run_dir.name) / "log"
        self._log = self.log_path.open("wb")
        command = [sys.executable, "-m", "gunicorn", "-k", worker_class, "--worker-connections", "2000", "--no-control-socket"]
        command += ["-w", str(workers), "-b", self.bind, "--keep-alive", "5", "--graceful-timeout", "30", "--access-logfile", "-"]
        environ = {
            **os.environ,
            "PYTHONPATH": f"{ROOT}:{HERE}",
            "GATEWAY_RUN_DIR": str(Path(self.run_dir.name) / "run"),
            "TEST_LIMITS": json.dumps(limits),
        }
        self.process = subprocess.Popen(
            [*command, *arguments, f"{app}:app"], env=environ, cwd=HERE, stdout=self._log, stderr=self._log, start_new_session=True
        )
        self.workers = workers
        wait_for(lambda: len(self.booted()) >= workers and len(self.doors()) >= (workers if worker_class == WORKER else 0), "workers up")
        if not bind:
            wait_for(self._answers, "an answer")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def booted(self) -> list[int]:
        assert self.process.poll() is None, self.log
        return [int(pid) for pid in re.findall(r"Booting worker with pid: (\d+)", self.log)]

    def living(self) -> list[int]:
        return [pid for pid in self.booted() if Path(f"/proc/{pid}").exists()]

    def doors(self) -> list[Path]:
        return list(Path(self.run_dir.name).glob("run/*.sock"))

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wire(self) -> Wire:
        self._wires.append(Wire(socket.create_connection(("127.0.0.1", self.port), timeout=10)))
        return self._wires[-1]

    def get(self, path: str) -> dict[str, Any]:
        with self.wire() as wire:
            wire.send(f"GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
            response: dict[str, Any] = json.loads(wire.rest().partition(b"\r\n\r\n")[2])
            return response

    def stop(self) -> None:
        """End it, if it still runs, and see that nothing of it is left."""
        if self._log.closed:
            return
        for wire in self._wires:
            wire.sock.close()
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        finally:
            leftovers = _group(self.process.pid)
            if leftovers:
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(5)
            self._log.close()
        doors = self.doors()
        self.run_dir.cleanup()
        assert not leftovers, f"left behind: {leftovers}"
        assert not doors, f"left behind: {doors}"

    def _answers(self) -> bool:
        try:
            return bool(self.get("/vitals"))
        except (OSError, ValueError):
            return False


class Wire:
    """A plain socket with the few verbs that a protocol test needs."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *unused: object) -> None:
        self.sock.close()

    def send(self, text: str | bytes) -> None:
        self.sock.sendall(text.encode() if isinstance(text, str) else text)

    def rest(self) -> bytes:
        """Everything until the server closes; a reset counts as a failure."""
        received = bytearray()
        while piece := self.sock.recv(65536):
            received += piece
        return bytes(received)

    def until(self, end: bytes) -> bytes:
        received = bytearray()
        while not received.endswith(end):
            piece = self.sock.recv(1)
            assert piece, f"closed after {bytes(received)!r}"
            received += piece
        return bytes(received)

    def exactly(self, count: int) -> bytes:
        received = bytearray()
        while len(received) < count:
            piece = self.sock.recv(count - len(received))
            assert piece, f"closed after {bytes(received)!r}"
            received += piece
        return bytes(received)

    def response(self) -> tuple[int, dict[str, str], bytes]:
        """One response on a connection that stays open."""
        status, *fields = self.until(b"\r\n\r\n").decode().strip().split("\r\n")
        headers = {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)}
        body = self._chunks() if "transfer-encoding" in headers else self.exactly(int(headers.get("content-length", 0)))
        return int(status.split()[1]), headers, body

    def _chunks(self) -> bytes:
        body = bytearray()
        while size := int(self.until(b"\r\n"), 16):
            body += self.exactly(size + 2)[:-2]
        self.exactly(2)
        return bytes(body)

    def upgrade(self, path: str = "/ws/echo", **headers: str) -> bytes:
        fields = {
            "Host": "t",
            "Upgrade": "websocket",
            "Connection": "keep-alive, Upgrade",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version": "13",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
        self.send(f"GET {path} HTTP/1.1\r\n{lines}\r\n")
        return b""

    def frame(self, opcode: int, payload: bytes, final: bool = True) -> None:
        self.send(masked(opcode, payload, final))

    def read_frame(self) -> tuple[int, bytes]:
        first, length = self.exactly(2)
        if length == 126:
            length = int.from_bytes(self.exactly(2), "big")
        elif length == 127:
            length = int.from_bytes(self.exactly(8), "big")
        return first & 0x0F, self.exactly(length)

    def close_code(self) -> int:
        while True:
            opcode, payload = self.read_frame()
            if opcode == 8:
                return int.from_bytes(payload[:2], "big")


def masked(opcode: int, payload: bytes, final: bool = True) -> bytes:
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big") if size < 65536 else b"\xff" + size.to_bytes(8, "big")
    key = b"\x11\x22\x33\x44"
    return bytes([opcode | (0x80 if final else 0)]) + length + key + bytes(b ^ key[i % 4] for i, b in enumerate(payload))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _group(leader: int) -> list[int]:
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == leader and fields[0] != "Z":
            members.append(int(stat.parent.name))
    return members
