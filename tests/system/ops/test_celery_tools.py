"""Celery's own tools see the encoders: ``celery inspect`` is answered, and an event monitor, as Flower is one, follows each ticket."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import requests

from backend.adapters.redis.client import KEY_PREFIX
from backend.adapters.redis.ticket import QUEUE
from tests.support.images import photograph
from tests.support.running import ROOT, Gateway, free_port, running, wait_for, zygotes
from tests.system.ops.figures import scraped
from tests.system.ops.processes import celery_master, pool

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running(tmp_path_factory.mktemp("gateway") / "data", GUNICORN_WORKERS="1", GATEWAY_ENCODERS="2", GATEWAY_ENCODE_TIMEOUT_S="300") as started:
        yield started


def celery(gateway: Gateway, *arguments: str, **given: str) -> subprocess.Popen[str]:
    """As an operator calls it, with the gateway's own settings."""
    environment = {**os.environ, **gateway.environment, "GATEWAY_DATA_DIR": str(gateway.data_dir), "PYTHONUNBUFFERED": "1", **given}
    command = [sys.executable, "-m", "celery", "-A", "backend.encoder", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def said(gateway: Gateway, *arguments: str) -> str:
    text, _ = celery(gateway, *arguments).communicate(timeout=60)
    return text


def test_inspect_is_answered_with_what_each_encoder_does(gateway: Gateway) -> None:
    assert "pong" in said(gateway, "inspect", "ping")
    image = photograph(4000, 3000)
    ids = [gateway.upload(image, method=6)["id"] for _ in range(2)]
    wait_for(lambda: gateway.job(ids[0])["state"] == "running", 30)
    active = said(gateway, "inspect", "active")
    assert "encode.next" in active and any(str(each.pid) in active for each in pool(gateway))
    for each in ids:
        assert gateway.ended(each)["state"] == "succeeded"
    stats = said(gateway, "inspect", "stats")
    assert re.search(r'"encode\.next": [1-9]', stats), "how many tickets were worked on"


def test_an_event_monitor_follows_each_ticket_from_its_start_to_its_end(gateway: Gateway) -> None:
    lines: list[str] = []
    with celery(gateway, "events", "--dump") as monitor:
        assert monitor.stdout is not None
        reader = threading.Thread(target=lines.extend, args=[monitor.stdout])
        reader.start()
        try:
            wait_for(lambda: any("heartbeat" in line for line in list(lines)), 30, "for the monitor to hear the worker")
            assert gateway.ended(gateway.upload(photograph(640, 480))["id"])["state"] == "succeeded"
            for event in ("task received", "task started", "task succeeded"):
                wait_for(lambda event=event: any(event in line for line in list(lines)), 20, f"for {event}: {lines}")
        finally:
            monitor.terminate()
            reader.join(20)


def by_inspection(gateway: Gateway, what: str) -> int:
    """How many tasks the workers name."""
    answer = said(gateway, "inspect", "--json", "--timeout=10", what)
    assert "{" in answer, answer
    return sum(map(len, json.loads(answer[answer.index("{") :]).values()))


@pytest.fixture
def flower(gateway: Gateway) -> Iterator[str]:
    """The address of its API."""
    port = free_port()
    environment = {"FLOWER_UNAUTHENTICATED_API": "true"}
    process = celery(gateway, "flower", "--address=127.0.0.1", f"--port={port}", "--inspect_timeout=3000", **environment)
    assert process.stdout is not None
    said_lines = threading.Thread(target=process.stdout.read)
    said_lines.start()
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/healthcheck"), 120, "for Flower")
        yield f"http://127.0.0.1:{port}/api"
    finally:
        process.kill()
        said_lines.join(20)
        process.stdout.close()
        process.wait(20)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.RequestException:
        return False


@contextlib.contextmanager
def held(gateway: Gateway) -> Iterator[None]:
    """Every codec stands still, so that the figures do too; the encoders go on renewing their leases."""
    children = [child for each in zygotes(gateway) for child in each.children()]
    for each in children:
        each.suspend()
    try:
        yield
    finally:
        for each in children:
            each.resume()


def test_under_load_celerys_tools_flower_and_the_queues_length_agree_with_the_gateways_own_figures(gateway: Gateway, flower: str) -> None:
    client = queue_client(gateway)
    ids = [gateway.upload(photograph(5000, 4000), method=6)["id"] for _ in range(8)]
    wait_for(lambda: scraped(gateway)["gateway_jobs{state=running}"] == 2, 30, "for both encoders to be busy")

    def flower_sees() -> tuple[int, int]:
        """Tickets that are worked on, by the workers' events, and those in the list."""
        started = requests.get(f"{flower}/tasks", params={"state": "STARTED"}, timeout=30).json()
        queues = requests.get(f"{flower}/queues/length", timeout=30).json()["active_queues"]
        return len(started), sum(each["messages"] for each in queues if each["name"] == QUEUE)

    with held(gateway):
        figures = scraped(gateway)
        running, waiting = figures["gateway_jobs{state=running}"], figures["gateway_jobs{state=queued}"]
        assert running == 2 and waiting >= 4, "it is looked at under load"
        assert by_inspection(gateway, "active") == running
        assert by_inspection(gateway, "reserved") == 0, "no worker holds a ticket that it does not work on"
        assert client.llen(KEY_PREFIX + QUEUE) == waiting, "what KEDA scales by"
        assert list(requests.get(f"{flower}/workers", params={"refresh": "true"}, timeout=60).json()), "Flower asks eight things at once"
        wait_for(lambda: flower_sees() == (running, waiting), 60, "for Flower to agree")
        assert scraped(gateway)["gateway_jobs{state=queued}"] == waiting
    client.close()
    for each in ids:
        requests.delete(f"{gateway.url}/api/jobs/{each}", timeout=10)


def test_a_ticket_goes_to_an_idle_host_and_not_to_a_busy_one(gateway: Gateway, tmp_path: Path) -> None:
    client = queue_client(gateway)
    large = [gateway.upload(photograph(5000, 4000), method=6)["id"] for _ in range(2)]
    wait_for(lambda: scraped(gateway)["gateway_jobs{state=running}"] == 2, 30, "for both encoders to be busy")
    with held(gateway), second_host(gateway, tmp_path):
        for seed in range(4):  # each too large for the express lane, which is the busy host's too
            assert gateway.ended(gateway.upload(photograph(2600, 1800, seed), method=0)["id"])["state"] == "succeeded"
        assert by_inspection(gateway, "reserved") == client.llen(KEY_PREFIX + QUEUE) == 0
    client.close()
    for each in large:
        requests.delete(f"{gateway.url}/api/jobs/{each}", timeout=10)


@contextlib.contextmanager
def second_host(gateway: Gateway, folder: Path) -> Iterator[None]:
    """Another machine's encoder, on the same Redis and store."""
    given = {
        "REDIS_URL": f"unix://{redis_socket(gateway)}",
        "GATEWAY_STORAGE_URL": f"file://{gateway.data_dir}/store",
        "GATEWAY_DATA_DIR": str(folder / "data"),
        "GATEWAY_RUN_DIR": str(folder / "run"),
        "GATEWAY_ENCODERS": "1",
        "GATEWAY_SHARE_RESULTS": "off",
    }
    with (folder / "encoder.log").open("wb") as log:
        process = subprocess.Popen([str(ROOT / "start.sh"), "encoder"], env={**os.environ, **given}, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        wait_for(lambda: gateway.health()["encoders"]["count"] == 3, 60, "for the second host")
        yield
    finally:
        process.terminate()
        process.wait(30)


def tickets(gateway: Gateway) -> int:
    """How many were worked on."""
    counts: list[Any] = re.findall(r'"encode\.next": (\d+)', said(gateway, "inspect", "stats"))
    return sum(map(int, counts))


def redis_socket(gateway: Gateway) -> str:
    return str(re.findall(r"/\S+redis\.sock", " ".join(gateway.find("redis.sock")[0].cmdline()))[0])


def queue_client(gateway: Gateway) -> redis.Redis:
    return redis.Redis(unix_socket_path=redis_socket(gateway))


def test_one_ticket_is_one_job(gateway: Gateway) -> None:
    before = tickets(gateway)
    ids = [gateway.upload(photograph(320, 240, seed))["id"] for seed in range(12)]
    assert [gateway.ended(each)["state"] for each in ids] == ["succeeded"] * 12
    wait_for(lambda: tickets(gateway) == before + 12, 20, "for a ticket each")


def test_tickets_that_were_lost_cost_a_moment_and_no_job(gateway: Gateway) -> None:
    """As with an encoder that was killed before it took a job."""
    master = celery_master(gateway)
    master.suspend()
    try:
        ids = [gateway.upload(photograph(320, 240, seed))["id"] for seed in range(12)]
        client = queue_client(gateway)
        assert 10 <= client.llen(KEY_PREFIX + QUEUE) <= 12, "what an autoscaler reads: the master may have asked for some before"
        assert client.delete(KEY_PREFIX + QUEUE) == 1
        client.close()
    finally:
        master.resume()
    assert [gateway.ended(each)["state"] for each in ids] == ["succeeded"] * 12
