"""Whose browser asks: pages of other sites and names that are rebound, in Chromium, and every way in as raw bytes."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import websocket

from tests.support.images import photograph
from tests.support.running import ROOT, Gateway, free_port, running

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
SITE_PORT = free_port()
EVIL = "evil.example"
WAYS = {
    "the page": "GET /",
    "a file of the page": "GET /static/js/main.js",
    "a list": "GET /api/jobs",
    "an upload": "POST /api/jobs",
    "a resumable upload": "POST /api/uploads",
    "metrics": "GET /metrics",
    "events": "GET /api/jobs/{job}/events",
    "a plain WebSocket": "GET /api/jobs/{job}/ws",
    "Socket.IO": "GET /socket.io/?EIO=4&transport=polling",
    "what is not there": "GET /nothing",
    "what no route takes": "TRACE /api/jobs",
}
UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Without keys; one site and two names are admitted, and metrics have a port of their own."""
    rules = {
        "GUNICORN_WORKERS": "2",
        "GATEWAY_ENCODERS": "1",
        "GATEWAY_ALLOWED_HOSTS": "images.example, *.pictures.example",
        "GATEWAY_ALLOWED_ORIGINS": f"http://friend.example:{SITE_PORT}",
        "GATEWAY_METRICS_BIND": f"127.0.0.1:{free_port()}",
    }
    with running(tmp_path_factory.mktemp("named") / "data", **rules) as started:
        yield started


@pytest.fixture(scope="module")
def job(named: Gateway) -> str:
    return str(named.upload(photograph(64, 48))["id"])


def lead_chromium(gateway: Gateway, *more: str, **environment: str) -> None:
    command = ["node", "--test", "--test-concurrency=1", "--test-reporter=spec", *more, "foreign.test.mjs"]
    places = {"GATEWAY_URL": gateway.url, "STORE": str(gateway.data_dir / "store"), "SITE_PORT": str(SITE_PORT)}
    given = {**os.environ, **places, **environment}
    process = subprocess.run(command, cwd=ROOT / "tests/page", env=given, capture_output=True, text=True, timeout=240, check=False)
    assert process.returncode == 0, process.stdout[-8000:] + process.stderr[-2000:]


def test_hostile_pages_do_no_harm_and_the_page_works_under_every_name(tmp_path: Path) -> None:
    """A gateway as anybody starts it, but at every address of this machine, and so that it fetches from this test."""
    rules = {"API_HOST": "0.0.0.0", "GATEWAY_FETCH_ALLOWED_NETWORKS": "127.0.0.0/8", "GUNICORN_WORKERS": "2"}
    with running(tmp_path / "data", **rules) as gateway:
        lead_chromium(gateway)


def test_an_admitted_site_works(named: Gateway) -> None:
    lead_chromium(named, "--test-name-pattern=admitted", FRIEND="1")


def said(port: int, request: str) -> str:
    """Version and status of the answer to these bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(request.encode("latin-1"))
        return sock.recv(12).decode()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_no_way_in_answers_under_another_name(named: Gateway, job: str, way: str) -> None:
    method, path = way.format(job=job).split()

    def asked(target: str, host: str, more: str = "") -> str:
        return said(named.port, f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{more}{UPGRADE if path.endswith('/ws') else ''}\r\n")

    refused = "HTTP/1.1 421"
    for host in (EVIL, f"{EVIL}:{named.port}", f"127.0.0.1.{EVIL}", "evil"):
        assert asked(path, host) == refused, host
    for target in (f"http://{EVIL}{path}", f"HTTPS://{EVIL}:80{path}"):
        assert asked(target, "localhost") == refused, target
    assert asked(path, EVIL, "X-Forwarded-Host: localhost\r\nForwarded: host=localhost\r\nX-Real-Host: localhost\r\n") == refused
    for answered in (asked(path, "localhost", f"X-Forwarded-Host: {EVIL}\r\n"), asked(f"http://localhost{path}", EVIL)):
        assert answered.startswith("HTTP/1.1 ") and answered != refused


def test_the_metrics_port_neither(named: Gateway) -> None:
    port = int(named.environment["GATEWAY_METRICS_BIND"].rpartition(":")[2])
    for path in ("/metrics", "/api/health"):
        assert requests.get(f"http://127.0.0.1:{port}{path}", timeout=10).status_code == 200
        refused = requests.get(f"http://127.0.0.1:{port}{path}", headers={"Host": f"{EVIL}:{port}"}, timeout=10)
        assert (refused.status_code, refused.json()["code"]) == (421, "wrong_host")


def test_the_named_hosts_are_answered_and_others_are_not(named: Gateway) -> None:
    admitted = ("images.example", "IMAGES.example.:81", "a.b.pictures.example", "localhost", "10.1.2.3", socket.gethostname())
    for host in (*admitted, "pictures.example", "b.images.example", EVIL):
        status = requests.get(f"{named.url}/api/health/live", headers={"Host": host}, timeout=10).status_code
        assert status == (200 if host in admitted else 421), host


@pytest.mark.parametrize("path", ["/api/jobs/{job}/ws", "/socket.io/?EIO=4&transport=websocket"])
@pytest.mark.parametrize("header", [["Origin: http://evil.example"], ["Origin: null"], ["Sec-Fetch-Site: cross-site"], ["Sec-Fetch-Site: same-site"]])
def test_no_socket_opens_for_a_page_of_another_site(named: Gateway, job: str, path: str, header: list[str]) -> None:
    address = named.url.replace("http", "ws") + path.format(job=job)
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        websocket.create_connection(address, header=header, suppress_origin=True, timeout=10)
    assert refused.value.status_code == 403
    websocket.create_connection(address, timeout=10).close()


def test_a_wrong_name_stops_the_start(tmp_path: Path) -> None:
    environment = {**os.environ, "GATEWAY_ALLOWED_HOSTS": "https://images.example", "GATEWAY_DATA_DIR": str(tmp_path)}
    process = subprocess.run([str(ROOT / "start.sh"), "gateway"], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert process.returncode == 2 and "GATEWAY_ALLOWED_HOSTS" in process.stderr
