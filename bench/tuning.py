"""The figures of docs/internals/tuning-exercises.md: each table there has its command.

    python bench/tuning.py workers     requests a second, delay and memory with 1, 2, 4, 8 workers; encoders idle and busy
    python bench/tuning.py kinds       sync, threaded and gevent workers under waiting and under computing
    python bench/tuning.py caches      where a cached answer may come from
    python bench/tuning.py herd        what a connection wakes, with one listener and with one a worker

Run it with the tests' Python. Needs wrk and, for caches, nginx (Debian: ``apt-get install wrk nginx``). Load and servers share the machine.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import psutil  # noqa: E402
import redis  # noqa: E402

from tests.support.images import photograph  # noqa: E402
from tests.support.running import free_port, running, wait_for  # noqa: E402
from tests.system.deploy.proxied import nginx, status  # noqa: E402

WORK = ROOT / "var" / "bench"
SECONDS = 3
BUSY_JOBS = 14
CONNECTIONS = 64


def wrk(url: str, connections: int = CONNECTIONS, *words: str) -> tuple[float, float]:
    """(requests a second, the 99th percentile in ms); what was not answered with 2xx would be told and is an error."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--timeout", "20s", "--latency", *words, url]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in told, told
    rate, slow, unit = re.search(r"Requests/sec:\s+([\d.]+)", told), *re.search(r"99%\s+([\d.]+)(us|ms|s)", told).groups()  # type: ignore[union-attr]
    assert rate
    return float(rate[1]), float(slow) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def memory_mib(processes: list[psutil.Process]) -> float:
    """Proportional set size: what is shared is counted once."""
    return sum(each.memory_full_info().pss for each in processes) / (1 << 20)


def table(*rows: tuple[object, ...]) -> None:
    """Printed, and kept for ``bench.report``, which puts it into the guide."""
    WORK.mkdir(parents=True, exist_ok=True)
    (WORK / f"tuning-{sys.argv[1]}.json").write_text(json.dumps([[str(each) for each in row] for row in rows]))
    for number, row in enumerate(rows):
        print("| " + " | ".join(str(each) for each in row) + " |")
        if number == 0:
            print("|" + "---|" * len(row))


def unbroken(count: int) -> dict[str, str]:
    """So many workers, none of which is recycled while it is measured."""
    return {"GUNICORN_WORKERS": str(count), "GUNICORN_MAX_REQUESTS": "0"}


def workers() -> None:
    rows: list[tuple[object, ...]] = [("workers", "requests/s", "p99 ms", "requests/s, encoders busy", "p99 ms, encoders busy", "memory MiB")]
    large = photograph(5000, 3500)
    for count in (1, 2, 4, 8):
        with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data", **unbroken(count)) as gateway:
            job = gateway.ended(gateway.upload(photograph(600, 400))["id"])["id"]
            idle = wrk(f"{gateway.url}/api/jobs/{job}")
            for number in range(BUSY_JOBS):
                gateway.upload(large, method=6, quality=60 + number)
            busy = wrk(f"{gateway.url}/api/jobs/{job}")
            memory = memory_mib(gateway.find("gunicorn"))
            rows.append((count, round(idle[0]), round(idle[1], 1), round(busy[0]), round(busy[1], 1), round(memory)))
    table(*rows)


@contextmanager
def gunicorn(*words: str) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--log-level", "error", "-b", f"127.0.0.1:{port}", *words]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        wait_for(lambda: status(f"http://127.0.0.1:{port}/") == 200, 30, "for gunicorn")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def kinds() -> None:
    chosen = {"sync": ["-k", "sync"], "gthread, 8 threads": ["-k", "gthread", "--threads", "8"], "gevent": ["-k", "gevent"]}
    chosen["gevent WebSocket"] = ["-k", "geventwebsocket.gunicorn.workers.GeventWebSocketWorker"]
    heads = ("3 workers of kind", "waiting 50 ms: requests/s", "computing: requests/s", "a light request while others compute: p99 ms")
    rows: list[tuple[object, ...]] = [heads]
    for name, words in chosen.items():
        with gunicorn("-w", "3", *words, "bench.kinds_app:app") as url:
            waiting, computing = wrk(f"{url}/wait")[0], wrk(f"{url}/compute", 8)[0]
            others = subprocess.Popen(["wrk", "-t1", "-c8", f"-d{SECONDS + 2}s", f"{url}/compute"], stdout=subprocess.DEVNULL)
            light = wrk(f"{url}/", 1)[1]
            others.wait()
            rows.append((name, round(waiting), round(computing), round(light, 1)))
    table(*rows)


def caches() -> None:
    kept: dict[str, tuple[float, bytes]] = {"key": (time.monotonic() + 3600, b"x" * 2000)}

    def in_process() -> None:
        until, _ = kept["key"]
        assert until > time.monotonic()

    rows: list[tuple[object, ...]] = [("a 20 kB answer from", "answers/s", "p99 ms")]
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data", **unbroken(3)) as gateway:
        job = gateway.ended(gateway.upload(photograph(400, 300))["id"])["id"]
        path = f"/api/jobs/{job}/result"
        client = redis.Redis(unix_socket_path=str(next(gateway.data_dir.rglob("redis.sock"))))
        client.set("bench:cached", gateway.result(job))
        rows.append(("a dictionary with times in the worker (no HTTP)", round(per_second(in_process)), "–"))
        rows.append(("Redis, one client (no HTTP)", round(per_second(lambda: client.get("bench:cached"))), "–"))
        client.delete("bench:cached")
        client.close()
        rows.append(("the gateway, from the store", *_rounded(wrk(gateway.url + path, 16))))
        with nginx("/usr/sbin/nginx", [gateway.port], Path(folder)) as url:
            rows.append(("nginx, not cached (a request with a key)", *_rounded(wrk(url + path, 16, "-H", "X-API-Key: none"))))
            rows.append(("nginx, cached, confirmed each second", *_rounded(wrk(url + path, 16))))
    table(*rows)


def per_second(call: Callable[[], object]) -> float:
    begun, count = time.perf_counter(), 0
    while time.perf_counter() - begun < 2:
        call()
        count += 1
    return count / (time.perf_counter() - begun)


def _rounded(found: tuple[float, float]) -> tuple[int, float]:
    return round(found[0]), round(found[1], 1)


def herd() -> None:
    rows: list[tuple[object, ...]] = [("8 idle workers", "new connections/s", "p99 ms", "wake-ups a connection", "busiest worker's share")]
    for name, words in {"one listener for all": "", "a listener each (reuse_port)": "--reuse-port"}.items():
        more = {"GUNICORN_CMD_ARGS": words} if words else {}
        with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data", **unbroken(8), **more) as gateway:
            processes = [each for each in gateway.find("gunicorn") if not [*each.children()]]
            before, used = [switches(each) for each in processes], [each.cpu_times().user for each in processes]
            rate, slow = wrk(f"{gateway.url}/api/health/live", 4, "-H", "Connection: close")
            woken = sum(switches(each) for each in processes) - sum(before)
            shares = [each.cpu_times().user - earlier for each, earlier in zip(processes, used, strict=True)]
            rows.append((name, round(rate), round(slow, 1), round(woken / (rate * SECONDS), 1), f"{max(shares) / sum(shares):.0%}"))
    table(*rows)


def switches(process: psutil.Process) -> int:
    return sum(int(psutil.Process(each.id).num_ctx_switches().voluntary) for each in process.threads()[:1])


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    commands: dict[str, Callable[[], None]] = {"workers": workers, "kinds": kinds, "caches": caches, "herd": herd}
    if sys.argv[1:] and sys.argv[1] in commands:
        commands[sys.argv[1]]()
    else:
        sys.exit(__doc__)
