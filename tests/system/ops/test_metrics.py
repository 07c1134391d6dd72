"""``/metrics`` agrees with what a client counted, to the last one: over all workers, across a reload and a killed worker."""

from __future__ import annotations

import re
import signal
import socket
import threading
from collections import Counter
from pathlib import Path

import psutil
import pytest
import requests
import socketio

from tests.support.images import photograph
from tests.support.running import Gateway, running, wait_for, zygotes
from tests.system.ops.figures import Client, requests_name, scraped
from tests.system.ops.processes import gunicorn_master, pool, workers

pytestmark = pytest.mark.e2e
IMAGES = [photograph(320, 240, seed) for seed in range(4)]


def load(client: Client, seed: int, stop: threading.Event) -> None:
    """What clients do: upload, look, fetch, fetch a part, ask for nothing, send rubbish, convert."""
    turn = 0
    while not stop.is_set():
        turn += 1
        job_id = client.upload(IMAGES[(seed + turn) % len(IMAGES)])
        client.ask("GET", "/api/jobs/AAAAAAAAAAAAAAAAAAAAAA", "/api/jobs/{job_id}")
        client.ask("GET", "/nowhere", "none")
        client.ask("POST", "/api/jobs", "/api/jobs", b"this is not an image, it says so")
        client.ask("PUT", "/api/convert", "/api/convert", IMAGES[turn % len(IMAGES)])
        client.ask("HEAD", "/api/capabilities", "/api/capabilities")
        if job_id is None:
            continue
        client.ask("GET", f"/api/jobs/{job_id}", "/api/jobs/{job_id}", Prefer="wait=20")
        ended = client.ask("GET", f"/api/jobs/{job_id}/result", "/api/jobs/{job_id}/result")
        if ended is not None and ended.status_code == 200:
            client.ask("GET", f"/api/jobs/{job_id}/source", "/api/jobs/{job_id}/source")


def of_clients(seen: dict[str, float], metric: str) -> dict[str, float]:
    """Without what is asked beside the client: by ``scraped``, and by the supervisor until the gateway is ready."""
    return {name: value for name, value in seen.items() if name.startswith(metric) and not re.search(r"route=(/metrics|/api/health/ready)[,}]", name)}


def agree(seen: dict[str, float], client: Client) -> None:
    """Every route that the client used: exactly its answers, or up to as many more as broke under its hands."""
    counted = of_clients(seen, "gateway_http_requests_total")
    assert counted.keys() >= client.answered.keys()
    surplus: Counter[str] = Counter()
    for name, value in counted.items():
        more = value - client.answered[name]
        assert more >= 0, f"{name}: {value} counted, {client.answered[name]} answered"
        if more:
            labels = dict(each.split("=") for each in name.partition("{")[2].rstrip("}").split(","))
            surplus[f"{labels['method']} {labels['route']}"] += int(more)
    for name, more in surplus.items():
        assert more <= client.broken[name], f"{more} more {name} counted than answered; {client.broken[name]} broke"


def settle(client: Client) -> dict[str, float]:
    """Once every job has ended: what is counted."""

    def is_quiet() -> dict[str, float] | None:
        seen = scraped(client.gateway)
        return seen if seen["gateway_queue_depth"] == seen["gateway_jobs{state=running}"] == 0 else None

    return dict(wait_for(is_quiet, 60, "for the queue to be empty"))


def under_load(gateway: Gateway, during: object = None, threads: int = 4) -> Client:
    """A client's counts after some load, with ``during`` called in its midst."""
    client, stop = Client(gateway), threading.Event()
    loads = [threading.Thread(target=load, args=(client, seed, stop)) for seed in range(threads)]
    for each in loads:
        each.start()
    try:
        wait_for(lambda: len(client.jobs) >= 10, 60)
        if callable(during):
            during()
        goal = len(client.jobs) + 10
        wait_for(lambda: len(client.jobs) >= goal, 60)
    finally:
        stop.set()
        for each in loads:
            each.join()
    return client


def reload(gateway: Gateway) -> None:
    before = {each.pid for each in workers(gateway)}
    gunicorn_master(gateway).send_signal(signal.SIGHUP)
    wait_for(lambda: not before & {each.pid for each in workers(gateway)} and len(workers(gateway)) == 3, 60, "for the reload")


def kill_one(gateway: Gateway) -> None:
    before = {each.pid for each in workers(gateway)}
    workers(gateway)[0].kill()
    wait_for(lambda: len(now := {each.pid for each in workers(gateway)}) == 3 and now != before, 60, "for the next worker")


def test_requests_jobs_and_bytes_are_counted_to_the_last_one_across_a_reload_and_a_killed_worker(data_dir: Path) -> None:
    with running(data_dir, GUNICORN_WORKERS="3", GATEWAY_ENCODERS="2") as gateway:

        def disturb() -> None:
            reload(gateway)
            kill_one(gateway)
            reload(gateway)

        client = under_load(gateway, disturb)
        seen = settle(client)
        agree(seen, client)
        converted = client.answered[requests_name("PUT", "/api/convert", 200)]
        created = seen["gateway_jobs_created_total"]
        in_doubt = client.broken["POST /api/jobs"] + client.broken["PUT /api/convert"]
        in_doubt += sum(count for name, count in client.answered.items() if "/api/convert" in name) - converted  # a job, and another answer
        assert len(client.jobs) + converted <= created <= len(client.jobs) + converted + in_doubt
        assert sum(of_clients(seen, "gateway_jobs_ended_total").values()) == created
        received = sum(of_clients(seen, "gateway_http_received_bytes_total").values())
        assert client.sent_bytes <= received <= client.sent_bytes + client.broken_bytes
        if not client.broken:
            assert sum(of_clients(seen, "gateway_http_sent_bytes_total").values()) == client.received_bytes


@pytest.mark.slow
def test_without_any_disturbance_every_figure_is_the_clients_own(data_dir: Path) -> None:
    with running(data_dir, GUNICORN_WORKERS="3", GATEWAY_ENCODERS="2") as gateway:
        client = under_load(gateway)
        assert not client.broken
        seen = settle(client)
        agree(seen, client)
        assert sum(of_clients(seen, "gateway_http_received_bytes_total").values()) == client.sent_bytes
        assert sum(of_clients(seen, "gateway_http_sent_bytes_total").values()) == client.received_bytes
        assert sum(of_clients(seen, "gateway_http_request_duration_seconds_count").values()) == sum(client.answered.values())
        converted = client.answered[requests_name("PUT", "/api/convert", 200)]
        assert seen["gateway_jobs_created_total"] == len(client.jobs) + converted
        assert seen["gateway_jobs_ended_total{code=,state=succeeded}"] == len(client.jobs) + converted
        assert seen["gateway_jobs{state=succeeded}"] == len(client.jobs), "a conversion in one request leaves no record"
        assert seen["gateway_job_wait_seconds_count"] == seen["gateway_stage_seconds_count{stage=encode}"] == len(client.jobs) + converted
        assert seen["gateway_upload_bytes_total"] == seen["gateway_source_bytes_total"]


@pytest.mark.slow
def test_sockets_are_counted_by_kind_while_they_are_open(gateway: Gateway) -> None:
    def of(kind: str) -> float:
        return scraped(gateway)[f"gateway_sockets{{kind={kind}}}"]

    with socketio.SimpleClient() as upgraded:
        upgraded.connect(gateway.url, transports=["websocket"])
        wait_for(lambda: of("socketio") == 1, 20)
        with socketio.SimpleClient() as polling:
            polling.connect(gateway.url, transports=["polling"])
            wait_for(lambda: of("polling") == 1, 20)
    ids = [gateway.upload(photograph(4000, 3000), method=6)["id"] for _ in range(4)]
    with requests.get(f"{gateway.url}/api/jobs/{ids[-1]}/events", stream=True, timeout=60) as stream:
        next(stream.iter_lines())
        wait_for(lambda: of("sse") == 1, 20)
        wait_for(lambda: scraped(gateway).get("gateway_event_delay_seconds_count", 0) > 0, 40)
    for each in ids:
        requests.delete(f"{gateway.url}/api/jobs/{each}", timeout=20)
    wait_for(lambda: (of("socketio"), of("polling"), of("sse")) == (0, 0, 0), 40)


def test_what_each_worker_uses_is_shown(gateway: Gateway) -> None:
    """Each tells it about once a second, from its first on."""

    def of(seen: dict[str, float], metric: str) -> list[float]:
        return [value for name, value in seen.items() if name.startswith(metric)]

    def are_told() -> bool:
        seen = scraped(gateway)
        resident, used = of(seen, "gateway_worker_resident_bytes"), of(seen, "gateway_worker_cpu_seconds_total")
        assert len(resident) == seen["gateway_workers"] == len(workers(gateway))
        return (
            all(20 << 20 < each < 2 << 30 for each in resident)
            and all(each > 0 for each in used)
            and seen.get("gateway_loop_delay_seconds_count", 0) > 0
        )

    wait_for(are_told, 20, "for each worker's figures")


def used_s(process: psutil.Process) -> float:
    """Processor time of a process, of what it runs, and of what it ran."""
    return sum(sum(each.cpu_times()[:4]) for each in [process, *process.children(recursive=True)])


def test_the_encoders_processor_time_is_the_kernels_own_codecs_included(gateway: Gateway) -> None:
    """After some work; a second and a half of silence is what the encoders may be behind."""
    for each in [gateway.upload(photograph(1600, 1200, seed), method=6)["id"] for seed in range(6)]:
        assert gateway.ended(each)["state"] == "succeeded"
    name = f"gateway_encoder_cpu_seconds_total{{host={socket.gethostname()}}}"
    seen: list[tuple[float, float, float]] = []

    def whole_s() -> float:
        return sum(map(used_s, [*pool(gateway), *zygotes(gateway)]))

    def agrees() -> bool:
        before, told = whole_s(), scraped(gateway)[name]
        seen.append((before, told, whole_s()))
        return 0 <= seen[-1][2] - told < 0.2

    assert wait_for(agrees, 40, f"for {name} to be what the kernel says")
    assert seen[-1][1] > 1, "codecs included"
