"""Images by URL from servers that mean ill, all at once: each job fails in time, and nobody else notices.

The figures are printed: ``pytest -s tests/system/main_path/test_hostile_servers.py``.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.running import ENDED, ROOT, Gateway, wait_for

pytestmark = pytest.mark.e2e
FETCH_S = 4
WITHIN_S = FETCH_S + 2
SILENT_NAME_SERVER = "127.77.0.53"
DEAD_NAMES = 10
IDLE_S = 2.0
NOTICED_MS = 1000
"""A frozen worker answers nobody for as long as a download may take, and longer."""


@contextlib.contextmanager
def beside(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen([sys.executable, "-m", *arguments], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield started
    finally:
        started.communicate(timeout=60)


@contextlib.contextmanager
def silent_name_server() -> Iterator[None]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((SILENT_NAME_SERVER, 53))
        yield


def gateway_that_asks_it(folder: Path, **environment: str) -> Gateway:
    """Its process has a resolv.conf of its own."""
    (folder / "resolv.conf").write_text(f"nameserver {SILENT_NAME_SERVER}\n")
    made = Gateway(folder / "data", GATEWAY_FETCH_ALLOWED_NETWORKS="127.0.0.0/8", GATEWAY_FETCH_TIMEOUT_S=str(FETCH_S), **environment)
    script = folder / "start.sh"
    mount = f"mount --bind {folder}/resolv.conf /etc/resolv.conf && exec {made.program}"
    script.write_text(f"#!/bin/sh\nexec unshare -m sh -c '{mount}'\n")
    script.chmod(0o755)
    made.program = str(script)
    return made


@pytest.fixture(scope="module")
def beset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("mount namespaces are missing")
        pytest.skip("mount namespaces need root")
    gateway = gateway_that_asks_it(tmp_path_factory.mktemp("beset"), GUNICORN_WORKERS="2", GUNICORN_MAX_REQUESTS="0")
    with silent_name_server():
        gateway.start()
        try:
            yield gateway
        finally:
            gateway.stop()


def order(gateway: Gateway, url: str) -> str:
    answer = requests.post(f"{gateway.url}/api/jobs", json={"url": url}, timeout=60)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def p99(took_ms: list[float]) -> float:
    return statistics.quantiles(took_ms, n=100)[98]


def described(took_ms: list[float]) -> str:
    return f"{len(took_ms)} answers, median {statistics.median(took_ms):.1f} ms, p99 {p99(took_ms):.1f} ms, most {max(took_ms):.1f} ms"


def test_servers_that_mean_ill_disturb_nobody_and_outlast_no_deadline(beset: Gateway) -> None:
    before = sorted(each.pid for each in beset.find("gunicorn"))
    with beside("tests.support.health_prober", f"{beset.url}/api/health") as prober:
        time.sleep(IDLE_S)
        idle_ms = json.loads(prober.communicate(timeout=60)[0])
    with beside("tests.support.hostile_servers") as servers, beside("tests.support.health_prober", f"{beset.url}/api/health") as prober:
        assert servers.stdout is not None
        urls = json.loads(servers.stdout.readline())
        urls |= {f"silent name server {number}": f"http://{number}.example.org/cat.bmp" for number in range(DEAD_NAMES)}
        begun = {name: (order(beset, url), time.monotonic()) for name, url in urls.items()}
        ended: dict[str, tuple[float, str]] = {}
        while len(ended) < len(begun) and time.monotonic() < max(at for _, at in begun.values()) + 4 * WITHIN_S:
            for name, (job_id, at) in begun.items():
                if name not in ended and (job := beset.job(job_id))["state"] in ENDED:
                    ended[name] = time.monotonic() - at, f"{job['state']} {(job['error'] or {}).get('code')}: {(job['error'] or {}).get('title')}"
        took_ms = json.loads(prober.communicate(timeout=60)[0])
    for name, (seconds, how) in ended.items():
        print(f"{name:30} {seconds:5.1f} s  {how}")
    print(f"health, idle: {described(idle_ms)}\nhealth, beset: {described(took_ms)}")
    assert {name: how for name, (seconds, how) in ended.items() if seconds > WITHIN_S or not how.startswith("failed")} == {}
    assert set(ended) == set(begun)
    assert p99(took_ms) < NOTICED_MS
    assert sorted(each.pid for each in beset.find("gunicorn")) == before


def test_a_hundred_names_that_nobody_answers_for_keep_no_other_fetch_waiting(beset: Gateway) -> None:
    jobs = [order(beset, f"http://{number}.example.net/cat.bmp") for number in range(100)]
    begun = time.monotonic()
    with beside("tests.support.hostile_servers") as servers:
        assert servers.stdout is not None
        reached = order(beset, json.loads(servers.stdout.readline())["redirects"])
        wait_for(lambda: beset.job(reached)["state"] == "failed", WITHIN_S)
        print(f"another fetch took {time.monotonic() - begun:.1f} s")
    wait_for(lambda: all(beset.job(each)["state"] == "failed" for each in jobs), 60)
    print(f"a hundred names took {time.monotonic() - begun:.1f} s")
