"""Uploads of about 1 MB by tus, in one request each, until the answer: the gateway syncs before it answers (and makes a job); tus's Node server
does not sync.

    python -m bench.upload [--rounds 2] [--seconds 6] [--clients 16] [--other CHECKOUT] [--out FILE]

The gateway runs without encoders here, so that nothing is compared but taking bytes in.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from bench.kit import figures, load, machine, pictures, servers

BYTES = 1_000_000
MANY = 1_000_000
"""Jobs that may wait, of one client too: more than are uploaded."""
FIGURES = ("per_s", "p50_ms", "p99_ms", "cpu_ms")
"""Uploads a second, the median and 99th percentile of their milliseconds, processor time of all the service's processes for each."""
Target = tuple[str, Callable[[], list[psutil.Process]]]
"""Where uploads go, and the processes that take them."""
Start = Callable[[Path], AbstractContextManager[Target]]


@contextmanager
def ours(folder: Path, root: Path = servers.ROOT) -> Iterator[Target]:
    from bench.live import Servers

    running = Servers(folder / "gateway", servers.free_port(), root=root, GATEWAY_MAX_QUEUED_JOBS=str(MANY), GATEWAY_CLIENT_JOBS=str(MANY))
    try:
        yield f"{running.url}/api/uploads", lambda: [one for each in running.processes for one in family(each.pid)]
    finally:
        running.stop()


@contextmanager
def tus(folder: Path) -> Iterator[Target]:
    (folder / "tus").mkdir()
    port = servers.free_port()
    environment = {"PORT": str(port), "FOLDER": str(folder / "tus"), "NODE_HOME": str(servers.NODE_HOME)}
    command = ["node", str(servers.PEERS / "tus_server.mjs")]
    url = f"http://127.0.0.1:{port}"
    with servers.running("tus", command, url, "/health", lambda *_: ("POST", "/files"), servers.PEERS, **environment) as server:
        yield f"{url}/files", server.family


def picture() -> Path:
    """The photograph whose file is nearest to ``BYTES``."""
    return min(pictures.photographs(), key=lambda path: abs(path.stat().st_size - BYTES))


def family(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def measure(services: dict[str, Start], seconds: float, clients: int, rounds: int) -> dict[str, Any]:
    length = picture().stat().st_size
    headers = f"Tus-Resumable: 1.0.0\r\nUpload-Length: {length}\r\nContent-Type: application/offset+octet-stream\r\n"
    found: dict[str, list[tuple[float, ...]]] = {}
    for _ in range(rounds):
        for name, start in services.items():
            try:
                found.setdefault(name, []).append(_round(start, headers, seconds, clients))
                print(name, [round(each, 1) for each in found[name][-1]], file=sys.stderr)
            except (RuntimeError, OSError) as error:
                print(f"{name} is left out: {error}", file=sys.stderr)
    return {
        name: dict(zip(FIGURES, (round(statistics.median(each), 1) for each in zip(*runs, strict=True)), strict=True))
        for name, runs in found.items()
        if runs
    }


def _round(start: Start, headers: str, seconds: float, clients: int) -> tuple[float, ...]:
    """As ``FIGURES``. The first second is a rehearsal: what a start leaves to do is done in it."""
    with servers.folder() as folder, start(folder) as (url, processes):
        target = ("POST", urlsplit(url).path, picture())
        load.measure(url, [target], clients=clients, seconds=1, headers=headers)
        before = machine.cpu_s(processes())
        said = load.measure(url, [target], clients=clients, seconds=seconds, headers=headers)
        spent_s = machine.cpu_s(processes()) - before
    if said["failed"]:
        raise RuntimeError(f"{said['failed']}")
    spans = [1000 * (end - begin) for _, begin, end, _ in said["done"]]
    return len(spans) / said["seconds"], figures.percentile(spans, 50), figures.percentile(spans, 99), 1000 * spent_s / len(spans)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--other", type=Path, help="another checkout, in turns with this one")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    services: dict[str, Start] = {"gateway": ours, **({"other": partial(ours, root=options.other)} if options.other else {}), "tus-node-server": tus}
    said = measure(services, options.seconds, options.clients, options.rounds)
    print(json.dumps(said), file=sys.stderr)
    if options.out:
        options.out.write_text(json.dumps(said))


if __name__ == "__main__":
    main()
