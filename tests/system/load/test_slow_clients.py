"""Three hundred clients that send or read too slowly, beside a good one. On demand: ``./tests/run.sh load``."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator

import psutil
import pytest
from PIL import Image

from tests.support.health_probe import Probe
from tests.support.running import Gateway, running, wait_for
from tests.support.slow_clients import SlowClients

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]

COUNT = 300
FLOOR_MS = 50.0
"""A 99th percentile below this is good, whatever it is when nothing happens."""


@pytest.fixture(scope="module")
def strained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running(tmp_path_factory.mktemp("slow") / "data", GUNICORN_WORKERS="2", GUNICORN_MAX_REQUESTS="0") as started:
        yield started


@pytest.fixture(scope="module")
def result_path(strained: Gateway) -> str:
    """Several megabytes: far more than a client's window and the kernel's share of an answer."""
    job = strained.ended(strained.upload(noise(1400, 1000), lossless="true", method=0)["id"])
    assert job["result"]["bytes"] > 3_000_000
    return f"/api/jobs/{job['id']}/result"


def noise(width: int, height: int) -> bytes:
    """A PNG that no encoder makes small."""
    file = io.BytesIO()
    Image.frombytes("RGB", (width, height), random.Random(1).randbytes(width * height * 3)).save(file, "PNG", compress_level=0)
    return file.getvalue()


def worker_bytes(gateway: Gateway) -> int:
    return sum(each.memory_info().rss for each in gateway.find("gunicorn"))


def connections(gateway: Gateway) -> int:
    return sum(len([one for one in each.net_connections("tcp") if one.status == psutil.CONN_ESTABLISHED]) for each in gateway.find("gunicorn"))


@pytest.mark.parametrize(
    ("kind", "seconds", "cut_within_s"),
    [
        ("heads", 15.0, 5 + 3),
        ("bodies", 20.0, 5 + 5),
        ("forms", 20.0, 5 + 5),
        ("chunks", 20.0, 5 + 5),
        ("results", 70.0, 55 + 8),
        ("pipelines", 70.0, 55 + 8),
        ("websockets", 60.0, None),
        ("events", 60.0, None),
        ("socketio", 60.0, 20 + 20),
        ("polling", 20.0, 5 + 5),
        ("errors", 45.0, 30 + 5),
    ],
)
def test_three_hundred_slow_clients_are_cut_off_and_nobody_else_notices(
    strained: Gateway, result_path: str, kind: str, seconds: float, cut_within_s: float | None
) -> None:
    """A watcher of a finished job gets all that there is at once. What it does not read stays in the kernel, and its connection ends by itself."""
    path = {"events": result_path.replace("/result", "/events"), "websockets": result_path.replace("/result", "/ws")}.get(kind, result_path)
    health = f"{strained.url}/api/health/live"
    idle = Probe(health, 5).result()
    before = worker_bytes(strained)
    probe = Probe(health, seconds - 3)
    fates = SlowClients(kind, strained.port, COUNT, seconds, path).result()
    attacked = probe.result()
    wait_for(lambda: connections(strained) < 50, 10, "for the connections to go")
    print(kind, fates, "idle", idle, "attacked", attacked, "MiB", before >> 20, worker_bytes(strained) >> 20)
    if cut_within_s is not None:
        assert fates["cut"] == COUNT
        assert fates["last_s"] < cut_within_s
    assert attacked["failed"] == 0
    assert attacked["p99_ms"] < max(3 * idle["p99_ms"], FLOOR_MS)
    assert worker_bytes(strained) - before < 64 << 20
