"""Throughput, latency, processor time and memory of a conversion service, beside the bare loop of the same round.

python -m bench.convert [--rounds 3] [--seconds 12] [--clients 4,16] [--widths 0,1600] [--peers gateway,sharp,…] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

from bench.kit import bare, figures, load, machine, servers

PICTURES = (servers.ROOT / os.environ.get("BENCH_PICTURES", "../shared/corpus/photos")).resolve()
PEERS: dict[str, Callable[..., AbstractContextManager[servers.Server]]] = {
    "gateway": partial(servers.gateway, GATEWAY_SHARE_RESULTS="off"),
    "sharp": servers.sharp,
    "ipx": servers.ipx,
    "Thumbor": servers.thumbor,
    "Flask sync": partial(servers.flask_pillow, kind="sync"),
    "Flask gthread": partial(servers.flask_pillow, kind="gthread"),
}
HEALTH = {"gateway": "/api/health", "Thumbor": "/healthcheck"}
Row = dict[str, Any]


class Peak(threading.Thread):
    """The largest proportional memory of a family, looked at every 0.3 s."""

    def __init__(self, server: servers.Server) -> None:
        super().__init__(daemon=True)
        self.server, self.bytes, self.over = server, 0, threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.3):
            self.bytes = max(self.bytes, machine.pss_bytes(self.server.family()))


def served(name: str, server: servers.Server, files: list[Path], width: int | None, clients: int, seconds: float) -> Row:
    calls = [(method, path, file if method == "POST" else None) for file in files for method, path in [server.target(file.name, width)]]
    peak = Peak(server)
    peak.start()
    before, busy = machine.cpu_s(server.family()), machine.busy_s()
    said = load.measure(server.url, calls, clients=clients, seconds=seconds, health=HEALTH.get(name, "/health"))
    cpu, busy = machine.cpu_s(server.family()) - before, machine.busy_s() - busy
    peak.over.set()
    peak.join()
    return {**said, "server_cpu_s": cpu, "foreign_cpu_s": max(0.0, busy - cpu - said["cpu_s"]), "peak_bytes": peak.bytes}


def row(name: str, width: int | None, clients: int, number: int, said: Row, standard: Row, costs: list[float], seconds: float) -> Row:
    """Throughput is work in megapixels a second, so that which picture came last makes no difference."""
    work = figures.work_done(said["done"], costs, seconds)
    limit = figures.work_done(standard["done"], costs, seconds)
    spans = [1000 * (end - begin) for _, begin, end, _ in said["done"]]
    whole = sum(costs[each[0]] for each in said["done"])
    bare_whole = sum(costs[each[0]] for each in standard["done"])
    return {
        "name": name, "width": width, "clients": clients, "round": number, "of_bare": work / limit if limit else 0.0,
        "images": len(said["done"]), "failed": said["failed"],
        **{f"p{percent}_ms": figures.percentile(spans, percent) for percent in (50, 95, 99) if spans},
        "cpu_of_bare": (said["server_cpu_s"] / whole) / (standard["cpu_s"] / bare_whole) if whole else None,
        "cpu_s_per_1000": 1000 * said["server_cpu_s"] / len(said["done"]) if spans else None,
        "peak_mib": said["peak_bytes"] / 2**20, "foreign_cpu_s": said["foreign_cpu_s"],
        "health_p50_ms": figures.percentile(said["health_ms"], 50), "health_p99_ms": figures.percentile(said["health_ms"], 99),
    }  # fmt: skip


def run(options: argparse.Namespace) -> list[Row]:
    files = sorted(PICTURES.glob("*.jpg"))
    costs = [megapixels(file) for file in files]
    rows: list[Row] = []
    for number in range(options.rounds):
        for width in options.widths:
            for name in options.peers:
                try:
                    with PEERS[name](PICTURES) as server:
                        for clients in options.clients:
                            standard = bare.measure(files, width=width or None, seconds=options.seconds)
                            said = served(name, server, files, width or None, clients, options.seconds)
                            rows.append(row(name, width or None, clients, number, said, standard, costs, options.seconds))
                            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
                except (RuntimeError, OSError) as error:
                    rows.append({"name": name, "width": width or None, "error": str(error)[-300:]})
                    print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return rows


def megapixels(file: Path) -> float:
    from PIL import Image

    with Image.open(file) as image:
        return image.width * image.height / 1e6


def numbers(text: str) -> list[int]:
    return [int(each) for each in text.split(",")]


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--rounds", type=int, default=2)
    made.add_argument("--seconds", type=float, default=12)
    made.add_argument("--clients", type=numbers, default=[4, 16])
    made.add_argument("--widths", type=numbers, default=[0, 1600])
    made.add_argument("--peers", type=lambda text: text.split(","), default=list(PEERS))
    made.add_argument("--out", type=Path)
    return made


def main() -> None:
    options = parser().parse_args()
    begun = time.time()
    rows = run(options)
    if options.out:
        options.out.write_text(json.dumps({"machine": machine.describe(), "seconds": time.time() - begun, "rows": rows}))


if __name__ == "__main__":
    main()
