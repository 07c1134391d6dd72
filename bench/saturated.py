"""Health and progress while every encoder is busy and 200 uploads stream.

    python -m bench.saturated [--seconds 15] [--uploads 200] [--out FILE]

An event's delay is from its record in Redis to the last byte of its Server-Sent Event at the client, on one clock; what was recorded before the
client had the stream is history and no event. The client's own processor time is told, for it takes part in the contest for the cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis

from bench.kit import figures, pictures, servers

UPLOAD_PIECE = bytes(16 << 10)
PIECE_EVERY_S = 0.5
AHEAD = 6
"""Jobs in the queue, beyond those in work."""


class Recorder(threading.Thread):
    """When each change was recorded: the announcement carries it."""

    def __init__(self, path: str) -> None:
        super().__init__(daemon=True)
        self.pubsub = redis.Redis(unix_socket_path=path, decode_responses=True).pubsub()
        self.recorded: dict[tuple[str, int], float] = {}
        self.pubsub.psubscribe("*changed:*")

    def run(self) -> None:
        for message in self.pubsub.listen():
            if message["type"] == "pmessage":
                ms, _, text = message["data"].partition(" ")
                if text:
                    self.recorded[(message["channel"].rsplit(":", 1)[1], json.loads(text)["seq"])] = int(ms) / 1000


class Scene:
    def __init__(self, url: str, uploads: int, seconds: float) -> None:
        place = urlsplit(url)
        self.place = (place.hostname or "", place.port or 80)
        self.uploads, self.seconds, self.over = uploads, seconds, False
        self.heard: dict[tuple[str, int], tuple[float, float]] = {}
        self.health_ms: list[float] = []
        self.picture = pictures.nearest(6).read_bytes()
        self.watching: set[asyncio.Task[None]] = set()
        self.streaming = 0

    async def run(self) -> None:
        streams = [asyncio.create_task(self._stream(number)) for number in range(self.uploads)]
        feeding = asyncio.create_task(self._feed())
        await asyncio.sleep(3)
        asking = asyncio.create_task(self._ask())
        await asyncio.sleep(self.seconds)
        self.over = True
        await asyncio.gather(asking, feeding, *streams, return_exceptions=True)
        for each in self.watching:
            each.cancel()

    async def _feed(self) -> None:
        while not self.over:
            if sum(not each.done() for each in self.watching) < AHEAD:
                _, body = await self._call("POST", "/api/jobs?quality=80", self.picture)
                self.watching.add(asyncio.create_task(self._watch(json.loads(body)["id"])))
            await asyncio.sleep(0.02)

    async def _watch(self, job_id: str) -> None:
        reader, writer = await asyncio.open_connection(*self.place)
        writer.write(f"GET /api/jobs/{job_id}/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        seq, since_s = 0, 0.0
        while line := await reader.readline():
            if line.startswith(b"retry:"):
                since_s = time.time()
            elif line.startswith(b"id:"):
                seq = int(line[3:])
            elif line.strip() == b"" and seq:
                self.heard.setdefault((job_id, seq), (since_s, time.time()))
        writer.close()

    async def _stream(self, number: int) -> None:
        await asyncio.sleep(number * 0.005)
        reader, writer = await asyncio.open_connection(*self.place)
        head = f"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {50 << 20}\r\n\r\n"
        writer.write(head.encode() + self.picture[: len(UPLOAD_PIECE)])
        while not self.over and not reader.at_eof():
            self.streaming = max(self.streaming, number + 1)
            writer.write(UPLOAD_PIECE)
            await writer.drain()
            await asyncio.sleep(PIECE_EVERY_S)
        writer.close()

    async def _ask(self) -> None:
        while not self.over:
            begun = time.perf_counter()
            await self._call("GET", "/api/health", b"")
            self.health_ms.append(1000 * (time.perf_counter() - begun))
            await asyncio.sleep(0.03)

    async def _call(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        reader, writer = await asyncio.open_connection(*self.place)
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        head, _, answer = (await reader.read(-1)).partition(b"\r\n\r\n")
        writer.close()
        return int(head.split(b" ", 2)[1]), answer


def measure(seconds: float, uploads: int) -> dict[str, Any]:
    with servers.gateway(GATEWAY_SHARE_RESULTS="off", GATEWAY_CONNECTIONS_PER_ADDRESS="0") as server:
        title = next(words for each in server.family() if "redis.sock" in (words := " ".join(each.cmdline())))
        path = next(word.removeprefix("unixsocket:") for word in title.split() if word.endswith("redis.sock"))
        recorder = Recorder(path)
        recorder.start()
        scene = Scene(server.url, uploads, seconds)
        begun_s = time.process_time()
        asyncio.run(scene.run())
        client_cpu_s = time.process_time() - begun_s
        recorded = ((recorder.recorded.get(key, 0.0), since_s, at) for key, (since_s, at) in scene.heard.items())
        delays = [1000 * max(0.0, at - recorded_s) for recorded_s, since_s, at in recorded if recorded_s > since_s]
    return {
        "uploads": scene.streaming, "events": len(delays), "asked": len(scene.health_ms),
        "client_cpu": client_cpu_s / (seconds + 3),
        **{f"health_p{percent}_ms": figures.percentile(scene.health_ms, percent) for percent in (50, 99)},
        **{f"event_p{percent}_ms": figures.percentile(delays, percent) for percent in (50, 99)},
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--uploads", type=int, default=200)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    said = measure(options.seconds, options.uploads)
    print(json.dumps(said), file=sys.stderr)
    if options.out:
        options.out.write_text(json.dumps(said))


if __name__ == "__main__":
    main()
