"""What coordination costs: jobs a second of the ideal from 1 to 64 encoders whose codec sleeps, and what Redis works for it.

    python -m bench.coordination jobs [--encoders 1,4,16,64] [--image-s 0.1] [--seconds 8]   encoders as threads that take tickets
    python -m bench.coordination celery [--encoders 1,4,16] [--prefetch 1,2]                 the same with Celery's real workers
    python -m bench.coordination weights [--hosts 1,2] [--encoders 1,2] [--prefetch 0]       a picture of 50 megapixels and a hundred thumbnails
    python -m bench.coordination long [--seconds 10]                                         one long encode that nobody watches
    python -m bench.coordination memory [--jobs 2000]                                        Redis' bytes an ended job
    --out FILE                                                                               figures as JSON, beside the table

``of ideal`` is jobs a second by encoders ÷ image-s. Nothing is decoded or stored; all of it shares this machine's cores.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from backend import errors
from backend.adapters.redis import client as redis_client
from backend.adapters.redis.cancellations import RedisCancellations
from backend.adapters.redis.live_state import live_state
from backend.adapters.redis.ticket import QUEUE
from backend.core.job import Result, succeeded
from backend.core.reader import Reader
from backend.flows.context import Context
from backend.flows.encode import encode, encode_next
from backend.flows.finish import finish
from backend.ports.live_state import LiveState
from backend.texts.problems import problem
from bench.kit import machine
from bench.kit.redis_process import Cost, RedisProcess, own_redis
from bench.kit.simulated import FACTS, NoStore, SleepingCodec, end_with_parent, photograph

ROOT = Path(__file__).resolve().parents[1]
THREADS_A_PROCESS = 8
WARM_UP_S, CELERY_WARM_UP_S = 1.5, 4.0
AHEAD = 16
"""Jobs that wait, beyond two for each encoder."""
LARGE_PIXELS, THUMBNAIL_PIXELS, THUMBNAILS = 50_000_000, 300_000, 100
SCRIPTS = ("evalsha", "eval", "fcall")
Row = dict[str, Any]


def context(url: str) -> Context:
    cancellations = RedisCancellations(redis_client.connect(url))
    cancellations.start()
    own = live_state(redis_client.connect(url))
    return Context(store=NoStore(), **own, cancellations=cancellations, receiver=Reader("en", problem))  # type: ignore[arg-type]


def encode_tickets(own: Context, client: Any, queue: str, image_s: float) -> None:
    """One encoder: wait for a ticket, encode the next job, and so on."""
    codec = SleepingCodec(image_s)
    assert own.cancellations is not None
    while True:
        with suppress(errors.GatewayError):
            if client.brpop([queue], 0.5):
                encode_next(own, codec, own.cancellations.new_token())


def run_encoders(url: str, count: int, image_s: float, parent: int) -> None:
    own, client = context(url), redis_client.connect(url)
    queue = f"{redis_client.KEY_PREFIX}{QUEUE}"
    for _ in range(count):
        threading.Thread(target=encode_tickets, args=(own, client, queue, image_s), daemon=True).start()
    while True:
        time.sleep(0.5)
        end_with_parent(parent)


@contextmanager
def threads(url: str, count: int, image_s: float) -> Iterator[None]:
    spawn = multiprocessing.get_context("spawn")
    sizes = [min(THREADS_A_PROCESS, count - begun) for begun in range(0, count, THREADS_A_PROCESS)]
    running = [spawn.Process(target=run_encoders, args=(url, size, image_s, os.getpid()), daemon=True) for size in sizes]
    for each in running:
        each.start()
    try:
        time.sleep(WARM_UP_S)
        yield
    finally:
        for each in running:
            each.kill()
            each.join()


@contextmanager
def celery(url: str, count: int, image_s: float, prefetch: int) -> Iterator[subprocess.Popen[bytes]]:
    """A host with so many encoders."""
    given = {"REDIS_URL": url, "BENCH_IMAGE_S": str(image_s), "GATEWAY_ENCODERS": str(count), "GATEWAY_LOG_LEVEL": "warning"}
    data = tempfile.TemporaryDirectory(prefix="bench-host-")
    given |= {"GATEWAY_DATA_DIR": data.name, "GATEWAY_RUN_DIR": f"{data.name}/run"}
    if prefetch:
        given["BENCH_PREFETCH"] = str(prefetch)
    words = ["--pool", "prefork", "--concurrency", str(count), "--queues", QUEUE, "--loglevel", "warning", "--without-gossip", "--without-mingle"]
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "--app", "bench.kit.sleeping_encoder", "--quiet", "worker", *words],
        env={**os.environ, **given}, cwd=ROOT, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        data.cleanup()


class Submitter(threading.Thread):
    """A gateway that always has a few jobs in the queue."""

    def __init__(self, url: str, encoders: int) -> None:
        super().__init__(daemon=True)
        self._live, self._ahead, self.is_over = live_state(redis_client.connect(url)), 2 * encoders + AHEAD, False

    def run(self) -> None:
        number = 0
        while not self.is_over:
            for _ in range(self._ahead - self._live["queue"].depth()):
                number += 1
                self._live["queue"].enqueue(photograph(f"10.0.0.{number % 5}"), limit=None)
            time.sleep(0.02)


def ended(server: RedisProcess) -> float:
    return float(server.client.hget(f"{redis_client.KEY_PREFIX}totals", "ended:succeeded:") or 0)


def measured(server: RedisProcess, encoders: int, image_s: float, seconds: float) -> Row:
    submitter = Submitter(server.url, encoders)
    submitter.start()
    deadline = time.monotonic() + 30
    while ended(server) < encoders and time.monotonic() < deadline:
        time.sleep(0.05)
    jobs, cost, begun, busy = ended(server), server.cost(), time.monotonic(), machine.busy_s()
    time.sleep(seconds)
    took_s, jobs, cost = time.monotonic() - begun, ended(server) - jobs, server.cost() - cost
    submitter.is_over = True
    submitter.join()
    return {
        "encoders": encoders,
        "jobs_a_second": round(jobs / took_s, 1),
        "of_ideal": round(jobs / took_s * image_s / encoders, 4),
        **per_job(cost, max(1.0, jobs)),
        "machine_busy": round((machine.busy_s() - busy) / took_s / machine.CORES, 2),
    }


def per_job(cost: Cost, jobs: float) -> Row:
    scripts = sum(cost.commands.get(name, (0, 0.0))[0] for name in SCRIPTS)
    spent = sum(cost.commands.get(name, (0, 0.0))[1] for name in SCRIPTS)
    return {
        "redis_ms_a_job": round(1000 * cost.cpu_s / jobs, 3),
        "scripts_a_job": round(scripts / jobs, 2),
        "script_ms_a_job": round(1000 * spent / jobs, 3),
        "calls_a_job": {name: round(calls / jobs, 2) for name, (calls, _) in sorted(cost.commands.items()) if calls / jobs >= 0.2},
    }


def measure_jobs(given: argparse.Namespace) -> Iterator[Row]:
    for encoders in given.encoders:
        with own_redis() as server, threads(server.url, encoders, given.image_s):
            yield measured(server, encoders, given.image_s, given.seconds)


def measure_celery(given: argparse.Namespace) -> Iterator[Row]:
    for encoders in given.encoders:
        for prefetch in given.prefetch:
            with own_redis() as server, celery(server.url, encoders, given.image_s, prefetch) as process:
                time.sleep(CELERY_WARM_UP_S)
                family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
                cpu_s, jobs = machine.cpu_s(family[:1]), ended(server)
                used_s = [machine.cpu_s([each]) for each in family]
                row = measured(server, encoders, given.image_s, given.seconds)
                done = ended(server) - jobs
                spent_s = sum(machine.cpu_s([each]) - before for each, before in zip(family, used_s, strict=True))
                master_s = machine.cpu_s(family[:1]) - cpu_s
                own = {"encoder_ms_a_job": round(1000 * spent_s / done, 2), "master_ms_a_job": round(1000 * master_s / done, 2)}
                yield {"prefetch": prefetch or "as shipped", **row, **own}


def measure_weights(given: argparse.Namespace) -> Iterator[Row]:
    """How long thumbnails wait behind large pictures, and those behind them: of one client and of two, with one large picture and one an encoder."""
    for hosts in given.hosts:
        for encoders in given.encoders:
            with own_redis() as server, ExitStack() as stack:
                for _ in range(hosts):
                    stack.enter_context(celery(server.url, encoders, 0.0, given.prefetch[0]))
                own = live_state(redis_client.connect(server.url))
                deadline = time.monotonic() + 30
                while len(own["presence"].encoders()) < hosts * encoders and time.monotonic() < deadline:
                    time.sleep(0.1)
                time.sleep(CELERY_WARM_UP_S)
                for clients in (1, 2):
                    for large in sorted({1, hosts * encoders}):
                        yield {"hosts": hosts, "encoders": encoders, "clients": clients, "large": large, **weighed(own, clients, large)}


def keep_topped_up(own: LiveState, is_over: threading.Event) -> None:
    """What the Janitor does once a second."""
    while not is_over.wait(1.0):
        if own["queue"].depth() and len(own["presence"].encoders()) > own["leases"].count():
            own["queue"].top_up_tickets()


def weighed(own: LiveState, clients: int, large: int) -> Row:
    made, is_over = [], threading.Event()
    threading.Thread(target=keep_topped_up, args=(own, is_over), daemon=True).start()
    for _ in range(large):
        made.append(own["queue"].enqueue(photograph("10.0.0.1", pixels=LARGE_PIXELS), limit=None))
    time.sleep(0.3)
    for _ in range(THUMBNAILS):
        made.append(own["queue"].enqueue(photograph(f"10.0.0.{clients}", pixels=THUMBNAIL_PIXELS), limit=None))
        time.sleep(0.005)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = [own["jobs"].find(each.id) for each in made]
        if all(each is not None and each.status.has_ended for each in found):
            break
        time.sleep(0.2)
    is_over.set()
    spans = [(each.status.started_at - each.manifest.created_at, each.status.finished_at - each.manifest.created_at) for each in found]  # type: ignore
    waits = [wait for wait, _ in spans[large:]]
    return {
        "thumbnails_wait_s": {
            "median": round(statistics.median(waits), 3),
            "p90": round(sorted(waits)[-len(waits) // 10], 3),
            "most": round(max(waits), 3),
        },
        "large_done_s": [round(done, 2) for _, done in spans[:large]],
        "all_done_s": round(max(done for _, done in spans), 2),
    }


def measure_long(given: argparse.Namespace) -> Iterator[Row]:
    with own_redis() as server:
        own = context(server.url)
        own.queue.enqueue(photograph("10.0.0.1"), limit=None)
        claim = own.queue.take(own.cancellations.new_token(), 4.0)  # type: ignore[union-attr]
        assert claim is not None
        time.sleep(1)
        idle = server.cost()
        time.sleep(given.seconds)
        begun = server.cost()
        encode(own, SleepingCodec(given.seconds), claim)
        cost, idle_s = server.cost() - begun, (begun - idle).cpu_s
        calls = {name: each[0] for name, each in sorted(cost.commands.items())}
        yield {"seconds": given.seconds, "redis_ms_a_second": round(1000 * (cost.cpu_s - idle_s) / given.seconds, 3), "calls": calls}


def measure_memory(given: argparse.Namespace) -> Iterator[Row]:
    """Bytes a job that has ended, with everything that is kept of it, and where they are."""
    with own_redis() as server:
        own = context(server.url)
        end_one(own)
        before = server.memory_bytes()
        for _ in range(given.jobs):
            job_id = end_one(own)
        grown = server.memory_bytes() - before
        names = [name for name in server.client.scan_iter(count=1000) if job_id in name]
        sizes = {name.partition("}:")[2].partition(":")[0]: server.client.memory_usage(name) for name in names}
        yield {"jobs": given.jobs, "bytes_a_job": round(grown / given.jobs), "keys_of_one": sizes}
        for name in server.client.scan_iter(count=1000):
            if (left_s := server.client.ttl(name)) >= 0 and ":job:" in name and left_s < 3600:
                server.client.unlink(name)
        yield {"jobs": given.jobs, "bytes_a_job": round((server.memory_bytes() - before) / given.jobs), "once the job itself has left": True}


def end_one(own: Context) -> str:
    own.queue.enqueue(photograph("10.0.0.1"), limit=None)
    assert own.cancellations is not None
    claim = own.queue.take(own.cancellations.new_token(), 4.0)
    assert claim is not None
    for percent in (12, 47, 71, 93):
        own.leases.report(claim.job.id, claim.token, {"stage": "encode", "progress": percent, "eta_s": 0.2}, 4.0)
    result = Result("result-0011223344556677.webp", 400_000, "ab" * 32, 4000, 3000, 1, "webp", FACTS)
    finish(own, claim.job.at(succeeded(claim.job.status, result, time.time())), claim.token)
    return claim.job.id


KINDS = {"jobs": measure_jobs, "celery": measure_celery, "weights": measure_weights, "long": measure_long, "memory": measure_memory}


def whole_numbers(text: str) -> list[int]:
    return [int(each) for each in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", nargs="?", choices=KINDS, default="jobs")
    parser.add_argument("--encoders", type=whole_numbers, default=None)
    parser.add_argument("--prefetch", type=whole_numbers, default=[0])
    parser.add_argument("--hosts", type=whole_numbers, default=[1, 2])
    parser.add_argument("--image-s", type=float, default=0.1)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    given.encoders = given.encoders or ([1, 2] if given.kind == "weights" else [1, 2, 4, 8, 16, 32, 64])
    rows = []
    for row in KINDS[given.kind](given):
        rows.append(row)
        print(json.dumps(row), flush=True)
    if given.out:
        given.out.write_text(json.dumps(rows, indent=1), "utf-8")


if __name__ == "__main__":
    main()
