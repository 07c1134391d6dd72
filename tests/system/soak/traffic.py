"""Mixed good and hostile clients of one gateway, in a process of their own.

    python -m tests.system.soak.traffic PORT SECONDS SEED

prints one line of JSON: how often each action was done, which statuses were answered, and what went wrong.
"""

from __future__ import annotations

import collections
import io
import json
import random
import re
import socket
import sys
import threading
import time
from collections.abc import Callable

import requests
import websocket
from PIL import Image

from tests.system.soak.hostile_servers import HostileServers

THREADS = 6
TIMEOUT_S = 30.0
HOST = b"Host: 127.0.0.1\r\n"
NAMES = ("photo.png", "evil.html", "名前.png", "a" * 300 + ".png", "../../etc/passwd")


def picture(seed: int, side: int = 200) -> bytes:
    file = io.BytesIO()
    chance = random.Random(seed)
    Image.frombytes("RGB", (side, side), chance.randbytes(side * side * 3)).save(file, chance.choice(("PNG", "JPEG", "BMP", "GIF")))
    return file.getvalue()


class Client:
    """One thread's. Every method is an action, and returns the statuses that it saw."""

    def __init__(self, port: int, seed: int, servers: HostileServers) -> None:
        self.port, self.url, self.servers = port, f"http://127.0.0.1:{port}", servers
        self.random = random.Random(seed)
        self.session = requests.Session()
        self.jobs: collections.deque[str] = collections.deque(maxlen=20)

    def ask(self, method: str, path: str, **more: object) -> requests.Response:
        return self.session.request(method, self.url + path, timeout=TIMEOUT_S, **more)  # type: ignore[arg-type]

    def note(self, answer: requests.Response) -> list[int]:
        if answer.status_code == 202:
            body = answer.json()
            self.jobs.extend(each["id"] for each in body.get("jobs", [body]) if "id" in each)
        return [answer.status_code]

    def picture(self) -> bytes:
        return picture(self.random.randrange(1000))

    def job(self) -> str:
        return self.random.choice(self.jobs) if self.jobs else "A" * 22

    def wire(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S)

    # Good clients.

    def upload_raw(self) -> list[int]:
        return self.note(self.ask("POST", "/api/jobs", data=self.picture(), params={"width": self.random.choice((10, 100, 150))}))

    def upload_form(self) -> list[int]:
        files = [("file", (self.random.choice(NAMES), self.picture())) for _ in range(self.random.choice((1, 3)))]
        return self.note(self.ask("POST", "/api/jobs", files=files))

    def upload_tus(self) -> list[int]:
        data = self.picture()
        tus = {"Tus-Resumable": "1.0.0"}
        made = self.ask("POST", "/api/uploads", headers={**tus, "Upload-Length": str(len(data))})
        if made.status_code != 201 or self.random.random() < 0.2:  # some are never sent
            return [made.status_code]
        path = made.headers["Location"].replace(self.url, "")
        sent = self.ask("PATCH", path, data=data, headers={**tus, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"})
        return [made.status_code, sent.status_code]

    def convert(self) -> list[int]:
        return [self.ask("PUT", "/api/convert", data=self.picture(), params={"quality": self.random.choice((50, 80))}).status_code]

    def fetch(self) -> list[int]:
        name = self.random.choice(("picture", "picture", *self.servers.acts))
        return self.note(self.ask("POST", "/api/jobs", json={"url": f"http://127.0.0.1:{self.servers.port}/{name}"}))

    def look(self) -> list[int]:
        path = self.random.choice(("/", "/api/jobs", "/api/capabilities", "/api/health", "/metrics", "/api/openapi.json", "/nothing"))
        return [self.ask("GET", path).status_code]

    def follow(self) -> list[int]:
        job = self.job()
        answers = [self.ask("GET", f"/api/jobs/{job}"), self.ask("GET", f"/api/jobs/{job}/result", headers={"Range": "bytes=0-99"})]
        return [each.status_code for each in answers]

    def end(self) -> list[int]:
        method, path = self.random.choice((("POST", "/cancel"), ("DELETE", ""), ("POST", "/retry")))
        return [self.ask(method, f"/api/jobs/{self.job()}{path}").status_code]

    def watch_events(self) -> list[int]:
        with self.ask("GET", f"/api/jobs/{self.job()}/events", stream=True) as answer:
            for _, _line in zip(range(5), answer.iter_lines(), strict=False):
                pass
            return [answer.status_code]

    def watch_websocket(self) -> list[int]:
        return self._with_websocket(f"/api/jobs/{self.job()}/ws", lambda wire: [wire.recv() for _ in range(2)])

    def watch_socketio(self) -> list[int]:
        def subscribe(wire: websocket.WebSocket) -> None:
            wire.send("40")
            wire.send(f'420["subscribe",{{"job":"{self.job()}"}}]')
            for _ in range(3):
                wire.recv()

        return self._with_websocket("/socket.io/?EIO=4&transport=websocket", subscribe)

    def poll_socketio(self) -> list[int]:
        opened = self.ask("GET", "/socket.io/?EIO=4&transport=polling")
        sid = json.loads(opened.text[1:])["sid"]
        return [opened.status_code, self.ask("POST", f"/socket.io/?EIO=4&transport=polling&sid={sid}", data="40").status_code]

    # Hostile clients.

    def send_damaged(self) -> list[int]:
        data = bytearray(self.picture())
        for _ in range(20):
            data[self.random.randrange(len(data))] = self.random.randrange(256)
        return self.note(self.ask("POST", "/api/jobs", data=bytes(data[: self.random.randrange(1, len(data))])))

    def send_malformed(self) -> list[int]:
        return self._raw(
            self.random.choice(
                (
                    *(b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\nHost: 127.0.0.1\n\n", b"\0" * 100, b"GET / HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n"),
                    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
                    b"POST /api/jobs HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
                    b"POST /api/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                    b"POST /api/jobs HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n[[[[[[[[[",
                    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n\r\n",
                )
            )
        )

    def send_tiny_chunks(self) -> list[int]:
        return self._raw(b"POST /api/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 300_000)

    def send_large_field(self) -> list[int]:
        return [self.ask("POST", "/api/jobs", files={"width": (None, b"1" * 20_000_000)}).status_code]

    def pipeline(self) -> list[int]:
        return self._raw(b"GET /api/health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 200 + b"GET / HTTP/1.0\r\n\r\n")

    def leave_early(self) -> list[int]:
        with self.wire() as wire:
            wire.sendall(b"POST /api/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n" + b"x" * self.random.randrange(50_000))
            if self.random.random() < 0.5:
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        return []

    def drip(self) -> list[int]:
        with self.wire() as wire:
            try:
                for _ in range(8):
                    wire.sendall(b"G" if self.random.random() < 0.5 else b"POST /api/jobs HTTP/1.1\r\n" + HOST + b"Content-Length: 9999\r\n\r\n")
                    time.sleep(1)
            except OSError:
                pass
        return []

    def read_nothing(self) -> list[int]:
        with self.wire() as wire:
            wire.sendall(f"GET /api/jobs/{self.job()}/result HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() * 50)
            time.sleep(5)
        return []

    def flood_frames(self) -> list[int]:
        def flood(wire: websocket.WebSocket) -> None:
            for _ in range(3000):
                wire.ping()

        return self._with_websocket("/socket.io/?EIO=4&transport=websocket", flood)

    def _with_websocket(self, path: str, use: Callable[[websocket.WebSocket], object]) -> list[int]:
        try:
            wire = websocket.create_connection(f"ws://127.0.0.1:{self.port}{path}", timeout=TIMEOUT_S)
        except websocket.WebSocketBadStatusException as refused:
            return [refused.status_code]
        try:
            use(wire)
        except (websocket.WebSocketException, OSError):
            pass
        finally:
            wire.shutdown()
        return [101]

    def _raw(self, data: bytes) -> list[int]:
        """The statuses of all answers until the server closes."""
        received = bytearray()
        with self.wire() as wire:
            sender = threading.Thread(target=_send, args=(wire, data))
            sender.start()
            try:
                while piece := wire.recv(65536):
                    received += piece
            except OSError:
                pass
            sender.join()
        return [int(status) for status in re.findall(rb"HTTP/1\.[01] ([0-9]{3}) ", received)]


def _send(wire: socket.socket, data: bytes) -> None:
    try:
        wire.sendall(data)
        wire.shutdown(socket.SHUT_WR)
    except OSError:
        pass


ACTIONS: dict[str, int] = {
    **dict.fromkeys(("upload_raw", "upload_form", "convert", "follow", "look"), 6),
    **dict.fromkeys(("upload_tus", "fetch", "end", "watch_events", "watch_websocket", "watch_socketio", "poll_socketio"), 3),
    **dict.fromkeys(("send_damaged", "send_malformed", "leave_early", "pipeline", "flood_frames"), 3),
    **dict.fromkeys(("send_tiny_chunks", "send_large_field", "drip", "read_nothing"), 1),
}
"""Each action and how often it is drawn."""


class Traffic:
    def __init__(self, port: int, seconds: float, seed: int) -> None:
        self._port, self._end_s, self._seed = port, time.monotonic() + seconds, seed
        self._servers = HostileServers(picture(1))
        self.done: collections.Counter[str] = collections.Counter()
        self.statuses: collections.Counter[str] = collections.Counter()
        self.failures: collections.Counter[str] = collections.Counter()

    def run(self) -> None:
        threads = [threading.Thread(target=self._act, args=(self._seed * 100 + number,)) for number in range(THREADS)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

    def _act(self, seed: int) -> None:
        client = Client(self._port, seed, self._servers)
        while time.monotonic() < self._end_s:
            (name,) = client.random.choices(list(ACTIONS), list(ACTIONS.values()))
            try:
                for status in getattr(client, name)():
                    self.statuses[f"{name} {status}"] += 1
            except (OSError, requests.RequestException) as error:
                self.failures[f"{name} {type(error).__name__}"] += 1
            self.done[name] += 1


if __name__ == "__main__":
    traffic = Traffic(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
    traffic.run()
    print(json.dumps({"done": traffic.done, "statuses": traffic.statuses, "failures": traffic.failures}))
