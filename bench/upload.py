"""Uploads by tus, in one request each, until the answer: the gateway syncs before it answers (and makes a job); tus's Node server does not sync.

    python -m bench.upload [--rounds 2] [--seconds 6] [--clients 16] [--out FILE]

The gateway runs without encoders here, so that nothing is compared but taking bytes in.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.kit import figures, load, pictures, servers

MEGAPIXELS = 2


@contextmanager
def ours(folder: Path) -> Iterator[str]:
    from bench.live import Servers

    running = Servers(folder / "gateway", servers.free_port())
    try:
        yield f"{running.url}/api/uploads"
    finally:
        running.stop()


@contextmanager
def tus(folder: Path) -> Iterator[str]:
    (folder / "tus").mkdir()
    port = servers.free_port()
    environment = {"PORT": str(port), "FOLDER": str(folder / "tus"), "NODE_HOME": str(servers.NODE_HOME)}
    command = ["node", str(servers.PEERS / "tus_server.mjs")]
    url = f"http://127.0.0.1:{port}"
    with servers.running("tus", command, url, "/health", lambda *_: ("POST", "/files"), servers.PEERS, **environment):
        yield f"{url}/files"


def measure(seconds: float, clients: int, rounds: int) -> dict[str, Any]:
    length = pictures.nearest(MEGAPIXELS).stat().st_size
    headers = f"Tus-Resumable: 1.0.0\r\nUpload-Length: {length}\r\nContent-Type: application/offset+octet-stream\r\n"
    found: dict[str, list[tuple[float, float, float]]] = {}
    for _ in range(rounds):
        for name, start in (("gateway", ours), ("tus-node-server", tus)):
            try:
                found.setdefault(name, []).append(_round(start, headers, seconds, clients))
            except (RuntimeError, OSError) as error:
                print(f"{name} is left out: {error}", file=sys.stderr)
    return {
        name: dict(zip(("per_s", "p50_ms", "p99_ms"), (round(statistics.median(each), 1) for each in zip(*runs, strict=True)), strict=True))
        for name, runs in found.items()
        if runs
    }


def _round(start: Callable[[Path], AbstractContextManager[str]], headers: str, seconds: float, clients: int) -> tuple[float, float, float]:
    """Uploads a second, and the median and 99th percentile of their milliseconds."""
    with servers.folder() as folder, start(folder) as url:
        target = ("POST", urlsplit(url).path, pictures.nearest(MEGAPIXELS))
        said = load.measure(url, [target], clients=clients, seconds=seconds, headers=headers)
    if said["failed"]:
        raise RuntimeError(f"{said['failed']}")
    spans = [1000 * (end - begin) for _, begin, end, _ in said["done"]]
    return len(spans) / said["seconds"], figures.percentile(spans, 50), figures.percentile(spans, 99)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    said = measure(options.seconds, options.clients, options.rounds)
    print(json.dumps(said), file=sys.stderr)
    if options.out:
        options.out.write_text(json.dumps(said))


if __name__ == "__main__":
    main()
