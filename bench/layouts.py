"""The layouts of docs/operate/layouts.md beside each other, in turns in one run: behind the same nginx, with the same Redis and encoders.

    ./bench/run.sh layouts [--seconds 6] [--rounds 3] [--clients 16] [--watchers 200]

One Gunicorn with the default worker class; REST on gthread with a realtime process beside it; a Gunicorn of one worker on each port. Each has as many
workers in all. Measured of each: small conversions a second; then jobs a second whose clients upload, watch by event stream and fetch, as many at
once as ``--watchers``; its Gunicorns' processor time for each, and a health check's time meanwhile; their memory. Ratios are within a round.
Needs nginx.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.kit import figures, load, machine, pictures, servers
from bench.kit.servers import ROOT, free_port

MIB = 1 << 20
GATEWAY = [str(ROOT / "start.sh"), "gateway"]
GTHREAD = [str(ROOT / ".venv/bin/python"), *["-m", "gunicorn", "--config", "gunicorn.conf.py", "-k", "gthread", "--threads", "100", "run:app"]]
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
SMALL_PX = (320, 240)
MOST_FAILED = 0.02
"""Of all requests: a machine that others use stalls now and then."""
Row = dict[str, float]


@dataclass(frozen=True)
class Gunicorn:
    """``port``: that of the shipped files."""

    port: int
    workers: int
    command: tuple[str, ...] = tuple(GATEWAY)


@dataclass(frozen=True)
class Layout:
    """``folder``: that of deploy/ whose ``nginx.sed`` changes nginx.conf; empty where nothing does."""

    name: str
    folder: str
    gunicorns: tuple[Gunicorn, ...]


LAYOUTS = (
    Layout("one Gunicorn (default)", "", (Gunicorn(5000, 4),)),
    Layout("realtime apart", "realtime", (Gunicorn(5000, 2, tuple(GTHREAD)), Gunicorn(5001, 2))),
    Layout("a Gunicorn a port", "ports", tuple(Gunicorn(5001 + number, 1) for number in range(4))),
)


@contextmanager
def started(command: tuple[str, ...] | list[str], environment: dict[str, str]) -> Iterator[psutil.Process]:
    given = {**os.environ, "GATEWAY_SUPERVISED": "no", **environment}
    log_path = servers.WORK / "logs" / "layouts.log"
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=given, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def redis_and_encoders(home: Path) -> Iterator[dict[str, str]]:
    """What the gateways beside them are to be given."""
    environment = {"GATEWAY_DATA_DIR": str(home / "data"), "GATEWAY_LOG_LEVEL": "warning", "GATEWAY_PROXY_HOPS": "1", "GUNICORN_MAX_REQUESTS": "0"}
    environment |= {"GATEWAY_CONNECTIONS_PER_ADDRESS": "0", "GATEWAY_SHARE_RESULTS": "off"}
    with started([GATEWAY[0], "redis"], environment):
        until((home / "data" / "run" / "redis.sock").exists)
        with started([GATEWAY[0], "encoder"], environment):
            yield environment


@contextmanager
def laid_out(layout: Layout, environment: dict[str, str]) -> Iterator[tuple[str, list[psutil.Process]]]:
    """The address of nginx before it, and its Gunicorns' masters."""
    ports = {each.port: free_port() for each in layout.gunicorns}
    with ExitStack() as held:
        home = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="layouts-")))
        masters = []
        for each in layout.gunicorns:
            own = {"API_PORT": str(ports[each.port]), "GUNICORN_WORKERS": str(each.workers)}
            masters.append(held.enter_context(started(each.command, environment | own)))
        for port in ports.values():
            until(lambda: servers.answers(f"http://127.0.0.1:{port}/api/health"))  # noqa: B023
        yield held.enter_context(nginx(layout.folder, ports, home)), masters


@contextmanager
def nginx(folder: str, ports: dict[int, int], home: Path) -> Iterator[str]:
    """The shipped configuration, changed as the layout's page says."""
    shipped = ROOT / "deploy" / "nginx.conf"
    site = shipped.read_text("utf-8")
    if folder:
        script = ROOT / "deploy" / folder / "nginx.sed"
        site = subprocess.run(["sed", "-f", str(script), str(shipped)], capture_output=True, text=True, check=True).stdout
    port = free_port()
    for before, now in ports.items():
        site = site.replace(f"server 127.0.0.1:{before} ", f"server 127.0.0.1:{now} ")
    site = "\n".join(line for line in site.splitlines() if "listen [::]:80" not in line).replace("listen 80", f"listen 127.0.0.1:{port}")
    site = site.replace("/var/cache/webp-gateway", f"{home}/cache").replace("/var/log/nginx", str(home))
    site = site.replace("server_name localhost", "server_name bench localhost")
    places = "".join(f"{name}_temp_path {home}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    whole = f"user {psutil.Process().username()};\npid {home}/pid;\nerror_log {home}/error.log;\nworker_processes 1;\n"
    (home / "nginx.conf").write_text(f"{whole}events {{ worker_connections 4096; }}\nhttp {{\naccess_log off;\n{places}{site}\n}}\n", "utf-8")
    with started([NGINX, "-p", str(home), "-c", str(home / "nginx.conf"), "-g", "daemon off;"], {}):
        until(lambda: servers.answers(f"http://127.0.0.1:{port}/api/health/live"))
        yield f"http://127.0.0.1:{port}"


def until(what: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            raise RuntimeError("it did not start")
        time.sleep(0.05)


def turn(layout: Layout, environment: dict[str, str], picture: Path, options: argparse.Namespace) -> Row:
    with laid_out(layout, environment) as (url, masters):
        family = [each for master in masters for each in (master, *master.children(recursive=True))]
        load.measure(url, [("POST", "/api/convert", picture)], clients=options.clients, seconds=1.0)
        converts = measured(url, ("POST", "/api/convert", picture), options.clients, options.seconds, family)
        jobs = measured(url, (load.JOB, "/api/jobs", picture), options.watchers, options.seconds, family)
        return {**converts, **{f"watched {name}": value for name, value in jobs.items()}, "MiB": machine.pss_bytes(family) / MIB}


def measured(url: str, request: tuple[str, str, Path], clients: int, seconds: float, family: list[psutil.Process]) -> Row:
    before_s = machine.cpu_s(family)
    told = load.measure(url, [request], clients=clients, seconds=seconds, health="/api/health/live")
    if sum(told["failed"].values()) > MOST_FAILED * len(told["done"]):
        raise RuntimeError(f"requests failed: {told['failed']}")
    health_ms, done = told["health_ms"], len(told["done"])
    used_ms = 1000 * (machine.cpu_s(family) - before_s)
    answer = {"p50 ms": figures.percentile(health_ms, 50), "p99 ms": figures.percentile(health_ms, 99)}
    return {"a second": done / told["seconds"], "CPU ms each": used_ms / done, **answer}


def table(rounds: dict[str, list[Row]]) -> str:
    standard = rounds[LAYOUTS[0].name]
    lines = ["| layout | " + " | ".join(standard[0]) + " |", "|---|" + "---|" * len(standard[0])]
    for name, rows in rounds.items():
        cells = []
        for column in standard[0]:
            here, there = [row[column] for row in rows], [row[column] for row in standard]
            cells.append(f"{figures.spread(here)}" + ("" if rows is standard else f" · × {figures.ratios(here, there)}"))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--watchers", type=int, default=200)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if not Path(NGINX).exists():
        sys.exit("nginx is needed")
    rounds: dict[str, list[Row]] = {each.name: [] for each in LAYOUTS}
    with servers.folder() as home, redis_and_encoders(home) as environment:
        picture = home / "small.jpg"
        pictures.photograph(SMALL_PX).save(picture)
        for number in range(options.rounds):
            for each in (*LAYOUTS[number % 3 :], *LAYOUTS[: number % 3]):
                rounds[each.name].append(turn(each, environment, picture, options))
                print(f"round {number + 1}, {each.name}: {rounds[each.name][-1]}", file=sys.stderr)
    print(table(rounds))
    if options.out:
        options.out.write_text(json.dumps({"machine": machine.describe(), "rounds": rounds}, indent=1))


if __name__ == "__main__":
    main()
