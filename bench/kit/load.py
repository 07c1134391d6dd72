"""The one load generator: so many clients at once, each request on a connection of its own, for so long. Runs in a process of its own.

    python -m bench.kit.load < order.json > answer.json

order: url, requests [[method, path, file or null], …], clients, seconds, ``headers`` for each request, ``keep``: a folder (or null) where the
newest answer to each request before the end stands under its number, and ``health``: a path (or null) that is asked five times a second
meanwhile. The method ``JOB`` is a ``POST`` whose job is watched by Server-Sent Events to its end, and whose result is fetched.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PATIENCE_S = 120.0
HEALTH_EVERY_S = 0.2
JOB = "JOB"


def measure(
    url: str,
    requests: list[tuple[str, str, Path | None]],
    *,
    clients: int,
    seconds: float,
    health: str | None = None,
    headers: str = "",
    keep: Path | None = None,
) -> dict[str, Any]:
    order = {"url": url, "requests": [[m, p, str(f) if f else None] for m, p, f in requests], "clients": clients, "seconds": seconds}
    order |= {"health": health, "headers": headers, "keep": str(keep) if keep else None}
    command = [sys.executable, "-m", "bench.kit.load"]
    done = subprocess.run(command, input=json.dumps(order), capture_output=True, text=True, timeout=seconds + 300, check=False)
    if done.returncode:
        raise RuntimeError(f"the load generator failed: {done.stderr[-500:]}")
    return dict(json.loads(done.stdout))


class Load:
    """Requests go round in one fixed order, whoever sends them. A round is whole pictures: what was begun before the end is waited for and counted
    by the share of time, so that a slow server's last answers are not lost."""

    def __init__(self, order: dict[str, Any]) -> None:
        place = urlsplit(order["url"])
        self.host, self.port = place.hostname or "", place.port or 80
        self.requests = [(method, path, Path(file).read_bytes() if file else b"") for method, path, file in order["requests"]]
        self.seconds, self.clients, self.health = order["seconds"], order["clients"], order["health"]
        self.headers = order["headers"]
        self.keep = Path(order["keep"]) if order["keep"] else None
        self.next = 0
        self.done: list[tuple[int, float, float, int]] = []
        self.failed: dict[str, int] = {}
        self.health_ms: list[float] = []
        self.over = False

    async def run(self) -> dict[str, Any]:
        self.begun = time.perf_counter()
        asking = asyncio.create_task(self._ask_health()) if self.health else None
        await asyncio.gather(*(self._client() for _ in range(self.clients)))
        self.over = True
        if asking:
            await asking
        said = {"seconds": time.perf_counter() - self.begun, "done": self.done, "failed": self.failed}
        return {**said, "health_ms": self.health_ms, "cpu_s": time.process_time()}

    async def _client(self) -> None:
        while time.perf_counter() - self.begun < self.seconds:
            number, self.next = self.next % len(self.requests), self.next + 1
            begun = time.perf_counter()
            try:
                status, answer = await asyncio.wait_for(self._request(*self.requests[number]), PATIENCE_S)
            except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError) as error:
                status, answer = type(error).__name__, b""
            ended = time.perf_counter()
            if str(status).startswith("2"):
                self.done.append((number, begun - self.begun, ended - self.begun, len(answer)))
                if self.keep and ended - self.begun < self.seconds:
                    (self.keep / str(number)).write_bytes(answer)
            else:
                self.failed[str(status)] = self.failed.get(str(status), 0) + 1
                await asyncio.sleep(0.05)

    async def _ask_health(self) -> None:
        assert self.health
        while not self.over:
            begun = time.perf_counter()
            try:
                await asyncio.wait_for(self._request("GET", self.health, b""), 30)
            except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError):
                pass
            self.health_ms.append(1000 * (time.perf_counter() - begun))
            await asyncio.sleep(HEALTH_EVERY_S)

    async def _request(self, method: str, path: str, body: bytes) -> tuple[int | str, bytes]:
        return await self._job(path, body) if method == JOB else await self._exchange(method, path, body)

    async def _job(self, path: str, body: bytes) -> tuple[int | str, bytes]:
        status, answer = await self._exchange("POST", path, body)
        if status != 202:
            return status, b""
        job = await self._ended(json.loads(answer))
        if job["state"] != "succeeded":
            return str(job["state"]), b""
        return await self._exchange("GET", job["links"]["result"], b"")

    async def _ended(self, job: dict[str, Any]) -> dict[str, Any]:
        """Its last Server-Sent Event, as whoever watches a job hears it."""
        reader, writer = await asyncio.open_connection(self.host, self.port, limit=1 << 20)
        try:
            writer.write(f"GET {job['links']['events']} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nConnection: close\r\n\r\n".encode())
            while not job["finished_at"]:
                line = await reader.readline()
                if not line:
                    raise ValueError("the events ended before the job")
                if line.startswith(b"data:"):
                    job = json.loads(line[5:])
            return job
        finally:
            writer.close()

    async def _exchange(self, method: str, path: str, body: bytes, more: str = "") -> tuple[int, bytes]:
        reader, writer = await asyncio.open_connection(self.host, self.port, limit=1 << 20)
        try:
            place = f"Host: {self.host}:{self.port}\r\nConnection: close\r\n"
            head = f"{method} {path} HTTP/1.1\r\n{place}Content-Length: {len(body)}\r\n{self.headers}{more}\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
            answer = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", answer)
            got = await (reader.readexactly(int(length[1])) if length else reader.read(-1))
            return int(answer.split(b" ", 2)[1]), got
        finally:
            writer.close()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(Load(json.load(sys.stdin)).run())))
