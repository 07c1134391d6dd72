"""Throughput, latency, processor time and memory of a conversion service, beside the bare loop of the same round.

python -m bench.convert [--rounds 3] [--seconds 12] [--clients 4,16] [--widths 0,1600] [--peers "gateway;sharp"] [--budget SECONDS] [--out FILE]

``--clients "4,16;1,64;16"``: what each round measures; the last of it stands for the rounds after.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

from bench.kit import bare, figures, load, machine, pictures, servers

PEERS: dict[str, Callable[..., AbstractContextManager[servers.Server]]] = {
    "gateway": partial(servers.gateway, GATEWAY_SHARE_RESULTS="off"),
    "gateway, jobs": partial(servers.gateway, GATEWAY_SHARE_RESULTS="off", as_jobs=True),
    "Flask, same work": partial(servers.flask_pillow, kind="sync", same_work=True),
    "Thumbor": servers.thumbor,
    "sharp": servers.sharp,
    "ipx": servers.ipx,
    "Flask sync": partial(servers.flask_pillow, kind="sync"),
    "Flask gthread": partial(servers.flask_pillow, kind="gthread"),
}
ONLY_AT = {"Flask, same work": (4, 16)}
"""Elsewhere “Flask sync” says enough."""
HEALTH = {"gateway": "/api/health", "other": "/api/health", "Thumbor": "/healthcheck"}
BATCH_CLIENTS = 32
FRESH_S = 20.0
LEAST_S = 25.0
DISTURBED = 0.2
"""Foreign processor time, by all there was: beyond it the figure is not the service's own. Starting the loop and looking at memory count too."""
"""No peer is begun with less time left."""
Row = dict[str, Any]


class Peak(threading.Thread):
    """The largest proportional memory of a family, looked at now and then: a look costs 0.1 s of a core, so not often while speed is measured."""

    def __init__(self, server: servers.Server, every_s: float = 3.0) -> None:
        super().__init__(daemon=True)
        self.server, self.every_s, self.bytes, self.over = server, every_s, 0, threading.Event()

    def run(self) -> None:
        while not self.over.wait(self.every_s):
            self.bytes = max(self.bytes, machine.pss_bytes(self.server.family()))


def served(name: str, server: servers.Server, files: list[Path], width: int | None, clients: int, seconds: float, keep: Path | None = None) -> Row:
    """``keep``: a folder for the answers (``bench.kit.load``)."""
    calls = [(method, path, file if method != "GET" else None) for file in files for method, path in [server.target(file.name, width)]]
    peak = Peak(server)
    peak.start()
    before, busy = machine.cpu_s(server.family()), machine.busy_s()
    health = HEALTH.get(name.removesuffix(", jobs"), "/health")
    said = load.measure(server.url, calls, clients=clients, seconds=seconds, health=health, keep=keep)
    cpu, busy = machine.cpu_s(server.family()) - before, machine.busy_s() - busy
    peak.over.set()
    peak.join()
    return {**said, "server_cpu_s": cpu, "foreign_cpu_s": max(0.0, busy - cpu - said["cpu_s"]), "peak_bytes": peak.bytes}


def row(name: str, width: int | None, clients: int, number: int, said: Row, standard: Row, seconds: float) -> Row:
    """Throughput is work a second, and a picture is as much work as the bare loop of the same round took seconds for it, so that the mix of pictures
    makes no difference. With more clients than cores it is taken between the first answer and the last one before a core could run dry: what waits
    in a queue is no work yet."""
    costs = figures.costs(standard["done"])
    if clients > machine.CORES:
        rate = figures.steady_rate(said["done"], costs, machine.CORES)
    else:
        rate = figures.work_done(said["done"], costs, seconds) / seconds
    foreign = max(said["foreign_cpu_s"] / said["seconds"], standard["foreign_cpu_s"] / standard["seconds"]) / machine.CORES
    spans = [1000 * (end - begin) for _, begin, end, _ in said["done"]]
    whole = sum(costs[each[0]] for each in said["done"])
    bare_whole = sum(costs[each[0]] for each in standard["done"])
    return {
        "name": name, "width": width, "clients": clients, "round": number, "of_bare": rate / machine.CORES,
        "images": len(said["done"]), "failed": said["failed"],
        **{f"p{percent}_ms": figures.percentile(spans, percent) for percent in (50, 95, 99) if spans},
        "cpu_of_bare": (said["server_cpu_s"] / whole) / (standard["cpu_s"] / bare_whole) if whole else None,
        "cpu_s_per_1000": 1000 * said["server_cpu_s"] / len(said["done"]) if spans else None,
        "peak_mib": said["peak_bytes"] / 2**20, "foreign": foreign, "disturbed": foreign > DISTURBED, "client_cpu_s": said["cpu_s"],
        "health_p50_ms": figures.percentile(said["health_ms"], 50), "health_p99_ms": figures.percentile(said["health_ms"], 99),
    }  # fmt: skip


class Run:
    """Peers in turns, round by round, within ``--budget`` seconds; what there was no time for is left out. Written down after each figure."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.begun = options, time.monotonic()
        self.files = list(pictures.photographs())
        self.rows: list[Row] = []
        self.standard: dict[int, tuple[float, Row]] = {}

    def go(self) -> list[Row]:
        missing: set[str] = set()
        for number in range(self.options.rounds):
            for width in self.options.widths:
                for name in self.options.peers:
                    if name in missing:
                        continue
                    if self.left_s() < LEAST_S:
                        return self.rows
                    if not self._peer(name, width, self._at_once(name, number), number):
                        missing.add(name)
        return self.rows

    def _at_once(self, name: str, number: int) -> list[int]:
        wanted = self.options.clients[min(number, len(self.options.clients) - 1)]
        return [each for each in wanted if each in ONLY_AT.get(name, wanted)]

    def left_s(self) -> float:
        return float(self.options.budget) - (time.monotonic() - self.begun)

    def _peer(self, name: str, width: int, at_once: list[int], number: int) -> bool:
        if not at_once:
            return True
        try:
            with PEERS[name](pictures.folder()) as server:
                server.settle()
                for clients in at_once:
                    standard = self._bare(width)
                    seconds = 1.0 if clients >= BATCH_CLIENTS else self.options.seconds
                    said = served(name, server, self.files, width or None, clients, seconds)
                    self._note(row(name, width or None, clients, number, said, standard, seconds))
        except (RuntimeError, OSError) as error:
            self._note({"name": name, "width": width or None, "error": str(error)[-300:]})
            return False
        return True

    def _bare(self, width: int) -> Row:
        """The bare loop of late."""
        at, said = self.standard.get(width, (-math.inf, {}))
        if time.monotonic() - at > FRESH_S:
            said = self._undisturbed(width)
            self.standard[width] = (time.monotonic(), said)
        return said

    def _undisturbed(self, width: int) -> Row:
        """Once more where somebody else was at work on the machine meanwhile."""
        for _ in range(2):
            busy = machine.busy_s()
            said = bare.measure(self.files, width=width or None, seconds=self.options.seconds)
            said["foreign_cpu_s"] = max(0.0, machine.busy_s() - busy - said["cpu_s"])
            if said["foreign_cpu_s"] < DISTURBED * machine.CORES * said["seconds"]:
                break
        return said

    def _note(self, found: Row) -> None:
        print(json.dumps(found), file=sys.stderr, flush=True)
        self.rows.append(found)
        if self.options.out:
            said = {"machine": machine.describe(), "seconds": time.monotonic() - self.begun, "rows": self.rows}
            self.options.out.write_text(json.dumps(said))


def numbers(text: str) -> list[int]:
    return [int(each) for each in text.split(",")]


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--rounds", type=int, default=2)
    made.add_argument("--seconds", type=float, default=12)
    made.add_argument("--clients", type=lambda text: [numbers(each) for each in text.split(";")], default=[[4, 16]])
    made.add_argument("--widths", type=numbers, default=[0, 1600])
    made.add_argument("--peers", type=lambda text: text.split(";"), default=list(PEERS))
    made.add_argument("--budget", type=float, default=3600, help="seconds")
    made.add_argument("--other", type=Path, help="another checkout, as the peers “other” and “other, jobs”")
    made.add_argument("--out", type=Path)
    return made


def main() -> None:
    options = parser().parse_args()
    if options.other:
        for name, as_jobs in (("other", False), ("other, jobs", True)):
            PEERS[name] = partial(servers.gateway, GATEWAY_SHARE_RESULTS="off", root=options.other, name=name, as_jobs=as_jobs)
    Run(options).go()


if __name__ == "__main__":
    main()
