"""Celery's own tools see the encoders: ``celery inspect`` is answered, and an event monitor, as Flower is one, follows each ticket."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from backend.adapters.redis.client import KEY_PREFIX
from backend.adapters.redis.ticket import QUEUE
from tests.support.images import photograph
from tests.support.running import ROOT, Gateway, running, wait_for
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
