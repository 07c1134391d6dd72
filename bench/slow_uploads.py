"""Two hundred uploads of 60 MB at once, slowly: how much the gateway's memory grows, and how long ``/api/health`` takes meanwhile.

    ./bench/run.sh slow_uploads [--way raw|multipart|tus] [--count 200] [--mb 60] [--seconds 60] [--workers 4] [--check]

A process of its own sends every upload at its pace, a minute each; this one asks for health twenty times a second, on a new connection each time,
and adds up what the gateway's processes hold (PSS: pages that several share count once) every second. At the end each source in the store is
compared with what was sent. ``--check`` makes the exit code say whether memory grew by less than 100 MB and health's 99th percentile stayed
below 50 ms. It needs ``count`` × ``mb`` of disk, which it gives back. Encoders stand idle.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import http.client
import io
import json
import multiprocessing
import os
import random
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import psutil  # noqa: E402
from PIL import Image  # noqa: E402

from bench.ingest import HEADS  # noqa: E402
from bench.kit.figures import percentile  # noqa: E402
from bench.kit.machine import pss_bytes  # noqa: E402
from bench.live import Servers, free_port  # noqa: E402

MB = 1_000_000
PIECE_BYTES = 64 << 10
HEALTH_EVERY_S = 0.05
MOST_GROWTH_BYTES, MOST_P99_S = 100 * MB, 0.05


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--way", choices=tuple(HEADS), default="raw")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--mb", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--check", action="store_true")
    chosen = parser.parse_args()
    os.environ["GUNICORN_WORKERS"] = str(chosen.workers)
    with tempfile.TemporaryDirectory(dir=ROOT / "var" if (ROOT / "var").is_dir() else None) as folder:
        grown_bytes, p99_s = measure(Path(folder) / "data", chosen)
    return int(chosen.check and not (grown_bytes < MOST_GROWTH_BYTES and p99_s < MOST_P99_S))


def measure(folder: Path, chosen: argparse.Namespace) -> tuple[int, float]:
    servers = Servers(folder, free_port())
    image = painted(chosen.mb * MB)
    try:
        gateway = psutil.Process(servers.processes[1].pid)
        asked = Health(servers.url, gateway)
        asked.run_for(3.0)  # each worker has answered once: what is loaded then is not growth
        begun_bytes = asked.held_bytes.pop()
        asked.forget()
        sender = multiprocessing.get_context("spawn").Process(target=send_all, args=(servers.url, image, chosen.way, chosen.count, chosen.seconds))
        sender.start()
        asked.run_while(sender.is_alive)
        sender.join()
        assert sender.exitcode == 0, "an upload was not acknowledged"
    finally:
        servers.stop()
    check_sources(folder, image, chosen.count)
    grown_bytes, p99_s = max(asked.held_bytes) - begun_bytes, percentile(asked.took_s, 99)
    print(f"{chosen.count} × {chosen.mb} MB, {chosen.way}, {chosen.workers} workers, {asked.lasted_s:.0f} s; every source is as it was sent")
    print(f"memory of all its processes: {begun_bytes / MB:.0f} MB before, {max(asked.held_bytes) / MB:.0f} MB at most: {grown_bytes / MB:+.0f} MB")
    slowest = sorted(zip(asked.took_s, asked.at_s, asked.delays_ms, strict=True), reverse=True)[:8]
    each = ", ".join(f"{1000 * took_s:.0f} ms at {at_s:.0f} s ({delay_ms:.0f} ms)" for took_s, at_s, delay_ms in slowest)
    print(f"the slowest answers (and how late its worker's loop ran just then): {each}")
    times = ", ".join(f"p{share} {1000 * percentile(asked.took_s, share):.1f} ms" for share in (50, 99))
    print(f"/api/health, asked {len(asked.took_s)} times: {times}, at most {1000 * max(asked.took_s):.1f} ms")
    return grown_bytes, p99_s


def painted(size_bytes: int) -> bytes:
    """A small PNG, then bytes that a decoder never reaches."""
    image = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(image, "PNG")
    block = os.urandom(MB)
    return (image.getvalue() + block * (size_bytes // MB + 1))[:size_bytes]


def check_sources(folder: Path, image: bytes, count: int) -> None:
    expected, sources = hashlib.sha256(image).digest(), list((folder / "store" / "jobs").glob("*/*/source"))
    assert len(sources) == count, f"{len(sources)} jobs are there, {count} were acknowledged"
    for each in sources:
        with each.open("rb") as file:
            assert hashlib.file_digest(file, "sha256").digest() == expected, f"{each} is not what was sent"


class Health:
    """Asks, and looks at the memory, until it is over."""

    def __init__(self, url: str, gateway: psutil.Process) -> None:
        self.url, self.gateway = url, gateway
        self.forget()

    def forget(self) -> None:
        self.at_s: list[float] = []
        self.delays_ms: list[float] = []
        self.took_s: list[float] = []
        self.held_bytes: list[int] = []
        self.lasted_s = 0.0

    def run_for(self, seconds: float) -> None:
        until_s = time.monotonic() + seconds
        self.run_while(lambda: time.monotonic() < until_s)

    def run_while(self, is_on: Any) -> None:
        begun_s, is_over = time.monotonic(), threading.Event()
        scales = threading.Thread(target=self._weigh, args=(is_over,))
        scales.start()
        while is_on():
            self.at_s.append(time.monotonic() - begun_s)
            self.took_s.append(self._ask())
            time.sleep(HEALTH_EVERY_S)
        is_over.set()
        scales.join()
        self.lasted_s = time.monotonic() - begun_s

    def _ask(self) -> float:
        begun_s = time.monotonic()
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        connection.request("GET", "/api/health")
        body = json.load(connection.getresponse())
        connection.close()
        self.delays_ms.append(body["loop_delay_ms"])
        return time.monotonic() - begun_s

    def _weigh(self, is_over: threading.Event) -> None:
        while not is_over.wait(1.0):
            self.held_bytes.append(pss_bytes([self.gateway, *self.gateway.children(recursive=True)]))


def send_all(url: str, image: bytes, way: str, count: int, seconds: float) -> None:
    """Runs in a process of its own; fails if one of them is not acknowledged."""

    async def everybody() -> None:
        await asyncio.gather(*(send(url, image, way, seconds, delay_s=2.0 * random.random()) for _ in range(count)))

    asyncio.run(everybody())


async def send(url: str, image: bytes, way: str, seconds: float, delay_s: float) -> None:
    await asyncio.sleep(delay_s)
    head, before, after = HEADS[way](len(image))
    reader, writer = await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port)
    writer.write(f"{head}Host: {urlsplit(url).netloc}\r\nConnection: close\r\n\r\n".encode() + before)
    begun_s, view = time.monotonic(), memoryview(image)
    for at in range(0, len(image), PIECE_BYTES):
        await asyncio.sleep(max(0.0, begun_s + seconds * at / len(image) - time.monotonic()))
        writer.write(view[at : at + PIECE_BYTES])
        await writer.drain()
    writer.write(after)
    answer = await reader.read()
    assert answer.split(b" ", 2)[1] == (b"201" if way == "tus" else b"202"), answer[:500]
    writer.close()


if __name__ == "__main__":
    sys.exit(main())
