"""Fan-out to thousands of watchers: the gateway, and a Node socket.io server that does the same, in turns in one run.

    ./bench/run.sh live [--clients 5000] [--jobs 50] [--seconds 15] [--rounds 2] [--most 10000]

Two events a second in each job; every client follows one job. Measured from the encoder's report to the client's callback, over all events;
nothing may be missing. Clients, servers and Redis share the machine. Last, the gateway alone with ``--most`` clients (0: not at all), for which
``GUNICORN_WORKER_CONNECTIONS`` and ``GATEWAY_CONNECTIONS_PER_ADDRESS`` are raised. Needs Node and, once, the network: the peer is installed beside
the clients.
"""

from __future__ import annotations

import argparse
import array
import json
import os
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import psutil  # noqa: E402
import requests  # noqa: E402

from backend.adapters.redis import client as redis_client  # noqa: E402
from backend.adapters.redis.live_state import live_state  # noqa: E402
from backend.ports.live_state import LiveState  # noqa: E402

HERE = Path(__file__).resolve().parent
NODE_HOME = ROOT / "var" / "bench-node"
PEERS = ("socket.io@4.8.4", "socket.io-client@4.8.4")
EVENTS_PER_S = 2
LEASE_S = 60.0
FILES = 20_000
"""Open files that a process of clients needs for ten thousand of them, with room to spare."""
Times = dict[tuple[int, int], float]


class Servers:
    """Redis and the gateway without encoders: this program is the encoder. ``root``: another checkout."""

    def __init__(self, folder: Path, port: int, *, root: Path = ROOT, **environment: str) -> None:
        self.url, self.folder, self.root = f"http://127.0.0.1:{port}", folder, root
        run = folder / "run"
        run.mkdir(parents=True, mode=0o700)
        self.environment = {**os.environ, "GATEWAY_SUPERVISED": "1", "API_PORT": str(port)}
        self.environment |= {"GATEWAY_RUN_DIR": str(run), "GATEWAY_DATA_DIR": str(folder)}
        self.environment |= {"GATEWAY_LOG_LEVEL": "warning", "GATEWAY_SHARE_RESULTS": "off", "GUNICORN_MAX_REQUESTS": "0", **environment}
        self.processes = [self._start("redis")]
        wait_for((run / "redis.sock").exists)
        self.processes.append(self._start("gateway"))
        self.redis = redis_client.connect(f"unix://{run}/redis.sock")
        try:
            wait_for(lambda: answers(f"{self.url}/api/health/live"))
        except AssertionError:
            self.stop()
            raise
        self.live = live_state(self.redis)

    def _start(self, role: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([str(self.root / "start.sh"), role], env=self.environment, stdin=subprocess.DEVNULL)

    def memory_bytes(self) -> int:
        workers = psutil.Process(self.processes[1].pid).children()
        return sum(each.memory_full_info().pss for each in workers)

    def stop(self) -> None:
        self.redis.close()
        for process in reversed(self.processes):
            process.terminate()
            process.wait(40)


class Encoder(threading.Thread):
    """Takes ``count`` jobs and reports twice a second for each, evenly spread, noting when."""

    def __init__(self, live: LiveState, ids: list[str]) -> None:
        super().__init__(daemon=True)
        self.live, self.ids = live, ids
        self.told: Times = {}
        self.is_over = threading.Event()
        self.taken = [live["queue"].take(f"bench-{number}", LEASE_S) for number in range(len(ids))]

    def run(self) -> None:
        pause_s, progress, due_s = 1 / (EVENTS_PER_S * len(self.ids)), 0, time.time()
        while not self.is_over.is_set():
            for taken in self.taken:
                progress += 1
                assert taken is not None
                begun_ms = 1000 * time.time()
                reported = self.live["leases"].report(taken.job.id, taken.token, {"stage": "encode", "progress": progress // 1000 % 99}, LEASE_S)
                self.told[(self.ids.index(taken.job.id), reported.seq)] = begun_ms
                due_s += pause_s
                self.is_over.wait(max(0.0, due_s - time.time()))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def gateway_round(options: argparse.Namespace, folder: Path, **settings: str) -> dict[str, Any]:
    port = free_port()
    servers = Servers(folder / f"gateway-{port}", port, **settings)
    try:
        image = small_image()
        ids = [requests.post(f"{servers.url}/api/jobs", data=image, timeout=20).json()["id"] for _ in range(options.jobs)]
        event = requests.get(f"{servers.url}/api/jobs/{ids[0]}", timeout=20).json()
        before = servers.memory_bytes()
        clients = Clients(servers.url, ids, options, folder / f"heard-{port}")
        grown = servers.memory_bytes() - before
        encoder = Encoder(servers.live, ids)
        encoder.start()
        cpu = Cpu(psutil.Process(servers.processes[1].pid).children())
        heard = clients.measure()
        spent = cpu.spent()
        encoder.is_over.set()
        encoder.join()
        return {"event": event, **outcome(encoder.told, heard, options), **cost(spent, grown, len(heard), options)}
    finally:
        servers.stop()


def peer_round(options: argparse.Namespace, folder: Path, event: dict[str, Any]) -> dict[str, Any]:
    port = free_port()
    ids = [f"job-{number}" for number in range(options.jobs)]
    out = folder / f"told-{port}"
    environment = {**os.environ, "NODE_HOME": str(NODE_HOME), "PORT": str(port), "JOBS": ",".join(ids), "OUT": str(out), "EVENT": json.dumps(event)}
    server = subprocess.Popen(["node", str(HERE / "live_peer.mjs")], env=environment, stdout=subprocess.PIPE)
    try:
        assert server.stdout
        server.stdout.readline()
        process = psutil.Process(server.pid)
        before = process.memory_full_info().pss
        clients = Clients(f"http://127.0.0.1:{port}", ids, options, folder / f"heard-{port}")
        grown = process.memory_full_info().pss - before
        cpu = Cpu([process])
        heard = clients.measure()
        spent = cpu.spent()
        server.terminate()
        server.wait(20)
        return {**outcome(read_times(out), heard, options), **cost(spent, grown, len(heard), options)}
    finally:
        server.kill()
        server.wait(20)


class Clients:
    def __init__(self, url: str, ids: list[str], options: argparse.Namespace, out: Path) -> None:
        self.out = out
        environment = {**os.environ, "NODE_HOME": str(NODE_HOME), "SERVER_URL": url, "JOBS": ",".join(ids), "COUNT": str(options.clients)}
        environment |= {"OUT": str(out), "SECONDS": str(options.seconds)}
        command = ["node", "--max-old-space-size=4096", str(HERE / "live_clients.mjs")]
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout
        assert self.process.stdout.readline().decode().strip() == f"subscribed {options.clients}"

    def measure(self) -> list[tuple[int, int, float]]:
        assert self.process.stdin and self.process.stdout
        time.sleep(2)
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()
        self.process.communicate()
        values = array.array("d", self.out.read_bytes())
        return [(int(values[at]), int(values[at + 1]), values[at + 2]) for at in range(0, len(values), 3)]


class Cpu:
    def __init__(self, processes: list[psutil.Process]) -> None:
        self.processes = processes
        self.before, self.begun_s = self._now(), time.monotonic()

    def _now(self) -> float:
        return sum(sum(each.cpu_times()[:2]) for each in self.processes)

    def spent(self) -> tuple[float, float]:
        """Processor seconds, and the seconds they were spent in: clients that fall behind take longer than was asked for."""
        return self._now() - self.before, time.monotonic() - self.begun_s


def cost(spent: tuple[float, float], grown_bytes: int, deliveries: int, options: argparse.Namespace) -> dict[str, float]:
    """Beside other work on the machine, processor time for a delivery says more than delays do."""
    cpu_s, seconds = spent
    return {
        "cpu_cores": round(cpu_s / seconds, 2),
        "us_per_delivery": round(1e6 * cpu_s / max(1, deliveries), 1),
        "kb_per_client": round(grown_bytes / options.clients / 1000, 1),
    }


def outcome(told: Times, heard: list[tuple[int, int, float]], options: argparse.Namespace) -> dict[str, Any]:
    """Latencies, and how many deliveries are missing among the events that every client had time to hear."""
    latencies = sorted(when - told[(index, seq)] for index, seq, when in heard if (index, seq) in told)
    counts: dict[tuple[int, int], int] = {}
    for index, seq, _ in heard:
        counts[(index, seq)] = counts.get((index, seq), 0) + 1
    begin, end = min(when for *_, when in heard), max(when for *_, when in heard)
    first, last = begin + 1000, end - 1000
    expected = options.clients // options.jobs
    whole = [key for key, when in told.items() if first < when < last]
    missing = sum(expected - counts.get(key, 0) for key in whole)
    return {
        "deliveries_per_s": round(1000 * len(heard) / (end - begin)),
        "p50_ms": round(statistics.median(latencies), 1),
        "p99_ms": round(latencies[int(0.99 * len(latencies))], 1),
        "max_ms": round(latencies[-1], 1),
        "missing": missing,
        "events": len(whole),
    }


def read_times(path: Path) -> Times:
    values = array.array("d", path.read_bytes())
    return {(int(values[at]), int(values[at + 1])): values[at + 2] for at in range(0, len(values), 3)}


def small_image() -> bytes:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(out, "PNG")
    return out.getvalue()


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False


def wait_for(what: Any) -> None:
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def install_peers() -> None:
    if (NODE_HOME / "node_modules" / "socket.io").exists():
        return
    NODE_HOME.mkdir(parents=True, exist_ok=True)
    (NODE_HOME / "package.json").write_text('{"private": true}')
    subprocess.run(["npm", "install", "--prefix", str(NODE_HOME), "--no-audit", "--no-fund", "--loglevel=error", *PEERS], check=True)


def raise_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES if hard == resource.RLIM_INFINITY else min(FILES, hard), hard))


def most_round(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """As many watchers as this is made for. They come from one address, and may all come to one worker."""
    settings = {"GUNICORN_WORKER_CONNECTIONS": str(2 * options.most), "GATEWAY_CONNECTIONS_PER_ADDRESS": "0"}
    found = gateway_round(argparse.Namespace(**{**vars(options), "clients": options.most}), folder, **settings)
    del found["event"]
    return found


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser()
    for name, value in (("clients", 5000), ("jobs", 50), ("seconds", 15), ("rounds", 2), ("most", 10_000)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    install_peers()
    raise_open_files()
    found: dict[str, list[dict[str, Any]]] = {"gateway": [], "Node socket.io": []}
    with tempfile.TemporaryDirectory(prefix="bl-") as folder:
        for number in range(options.rounds):
            ours = gateway_round(options, Path(folder))
            event = ours.pop("event")
            print(f"round {number + 1}  gateway         {ours}", flush=True)
            found["gateway"].append(ours)
            found["Node socket.io"].append(peer_round(options, Path(folder), event))
            print(f"round {number + 1}  node socket.io  {found['Node socket.io'][-1]}", flush=True)
            save(options, found)
        if options.most:
            found[f"gateway, {options.most} clients"] = [most_round(options, Path(folder))]
            print(f"most     gateway         {found[f'gateway, {options.most} clients'][0]}", flush=True)
            save(options, found)


def save(options: argparse.Namespace, found: dict[str, list[dict[str, Any]]]) -> None:
    if options.out:
        options.out.write_text(json.dumps({"clients": options.clients, "rounds": found}))


if __name__ == "__main__":
    main()
