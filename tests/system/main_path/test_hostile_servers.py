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
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from backend.adapters.http.sources import NOT_REACHED_S
from tests.support.running import ROOT, Gateway, wait_for

pytestmark = pytest.mark.e2e
FETCH_S = 4
WITHIN_S = FETCH_S + 2
SILENT_NAME_SERVER = "127.77.0.53"
INSIDE = "10.1.2.3"
DEAD_NAMES = 10
IDLE_S = 2.0
NOTICED_MS, NOTICED_TIMES = 1000, 20
"""A frozen worker answers nobody for as long as a download may take, and longer. A machine that is busy with other things is slow when idle, too."""


@contextlib.contextmanager
def beside(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen([sys.executable, "-m", *arguments], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield started
    finally:
        started.communicate(timeout=60)


@contextlib.contextmanager
def silent_name_server() -> Iterator[None]:
    """Says of names in ``nowhere.test`` that there are none, and of others nothing."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((SILENT_NAME_SERVER, 53))

    def serve() -> None:
        while query := server.recvfrom(512):
            (asked, sender), no_such_name = query, b"\x81\x83"
            if not asked:
                return
            if b"nowhere" in asked:
                server.sendto(asked[:2] + no_such_name + asked[4:], sender)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        server.sendto(b"", (SILENT_NAME_SERVER, 53))
        thread.join()
        server.close()


def gateway_that_asks_it(folder: Path, **environment: str) -> Gateway:
    """Its process has a resolv.conf and hosts of its own."""
    (folder / "resolv.conf").write_text(f"nameserver {SILENT_NAME_SERVER}\n")
    (folder / "hosts").write_text(f"127.0.0.1 localhost\n{INSIDE} inside.test\n")
    made = Gateway(folder / "data", GATEWAY_FETCH_ALLOWED_NETWORKS="127.0.0.0/8", GATEWAY_FETCH_TIMEOUT_S=str(FETCH_S), **environment)
    script = folder / "start.sh"
    mount = f"for each in resolv.conf hosts; do mount --bind {folder}/$each /etc/$each || exit; done; exec {made.program}"
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


class From(requests.adapters.HTTPAdapter):
    """Connects from an address of its own: another client."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **given: Any) -> None:
        super().init_poolmanager(*arguments, **given, source_address=(self._address, 0))


def order(gateway: Gateway, url: str, client: str = "127.0.0.1") -> str:
    with requests.Session() as session:
        session.mount("http://", From(client))
        answer = session.post(f"{gateway.url}/api/jobs", json={"url": url}, timeout=60)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def seconds_of(job: dict[str, Any]) -> float:
    return (datetime.fromisoformat(job["finished_at"]) - datetime.fromisoformat(job["created_at"])).total_seconds()


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
        jobs = {name: order(beset, url) for name, url in urls.items()}
        time.sleep(FETCH_S)
        ended = {name: beset.ended(job_id, 4 * WITHIN_S) for name, job_id in jobs.items()}
        took_ms = json.loads(prober.communicate(timeout=60)[0])
    for name, job in ended.items():
        print(f"{name:30} {seconds_of(job):5.1f} s  {job['state']} {(job['error'] or {}).get('code')}: {(job['error'] or {}).get('title')}")
    print(f"health, idle: {described(idle_ms)}\nhealth, beset: {described(took_ms)}")
    assert {name: job for name, job in ended.items() if seconds_of(job) > WITHIN_S or job["state"] != "failed"} == {}
    assert p99(took_ms) < max(NOTICED_MS, NOTICED_TIMES * p99(idle_ms))
    assert sorted(each.pid for each in beset.find("gunicorn")) == before


def test_a_hundred_names_that_nobody_answers_for_keep_no_other_client_waiting(beset: Gateway) -> None:
    jobs = [order(beset, f"http://{number}.example.net/cat.bmp") for number in range(100)]
    begun = time.monotonic()
    with beside("tests.support.hostile_servers") as servers:
        assert servers.stdout is not None
        reached = order(beset, json.loads(servers.stdout.readline())["redirects"], client="127.0.0.2")
        wait_for(lambda: beset.job(reached)["state"] == "failed", WITHIN_S)
        print(f"another client's fetch took {time.monotonic() - begun:.1f} s")
    assert {beset.ended(each)["state"] for each in jobs} == {"failed"}
    print(f"a hundred names took {time.monotonic() - begun:.1f} s")


def failure(job: dict[str, Any]) -> str:
    """What the client reads; it must not come sooner for one reason than for another."""
    assert seconds_of(job) >= NOT_REACHED_S
    return without_ids(job["error"])


def without_ids(problem: dict[str, Any]) -> str:
    return json.dumps({name: value for name, value in problem.items() if name not in ("request_id", "instance")}, sort_keys=True)


def test_nobody_learns_which_names_and_addresses_the_network_has(beset: Gateway) -> None:
    def redirect(location: str) -> str:
        return f"{urls['redirected']}?{location}"

    with beside("tests.support.hostile_servers") as servers, socket.create_server(("127.0.0.1", 0)) as closing:
        assert servers.stdout is not None
        urls = json.loads(servers.stdout.readline())
        closed = f"http://127.0.0.1:{closing.getsockname()[1]}/"
        closing.close()
        names = ["http://inside.test/", "http://inside.test:8443/", "https://inside.test/cat.png", "http://no.nowhere.test/", closed]
        names += [redirect(each) for each in (*names, f"http://{INSIDE}/", "http://[::1]/", "http://169.254.169.254/latest/")]
        jobs = {name: order(beset, name) for name in names}
        read = {name: failure(beset.ended(job_id, 4 * WITHIN_S)) for name, job_id in jobs.items()}
    assert len(set(read.values())) == 1, read
    refused = requests.post(f"{beset.url}/api/jobs", json={"url": f"http://{INSIDE}/"}, timeout=10)
    assert refused.status_code == 400
    assert without_ids(refused.json()) == read[closed]
    assert f"{INSIDE} may not be asked" in beset.log.read_text()
