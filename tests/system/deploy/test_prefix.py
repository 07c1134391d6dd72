"""The gateway below a path of another site: a real nginx, the page in Chromium, tus-js-client and Socket.IO with their own settings."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import websocket

from tests.support.images import photograph
from tests.support.running import ROOT, Gateway, running
from tests.system.deploy.proxied import nginx_below_a_path

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
Tool = Callable[[str], str]
PASS_ON, TAKE_OFF = "proxy_pass http://127.0.0.1:5000;", "proxy_pass http://127.0.0.1:5000/;"
SAY_NOTHING, SAY_PREFIX = "proxy_set_header X-Forwarded-Prefix '';", "proxy_set_header X-Forwarded-Prefix /images;"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Its operator says the prefix. Several workers, so that sockets meet the wrong one."""
    folder = tmp_path_factory.mktemp("told")
    with running(folder / "data", GATEWAY_PATH_PREFIX="/images", GATEWAY_PROXY_HOPS="1", GUNICORN_WORKERS="3") as started:
        yield started


LIVE = "--test-name-pattern=live|tus-js-client"
"""Where the path is known by another way, what is answered is the same. So one pass of all tests is enough."""


def use(url: str, *more: str, **environment: str) -> None:
    command = ["node", "--test", "--test-concurrency=1", "--test-reporter=spec", *more, "prefix.test.mjs"]
    given = {**os.environ, "GATEWAY_URL": url, **environment}
    process = subprocess.run(command, cwd=ROOT / "tests" / "page", env=given, capture_output=True, text=True, timeout=240, check=False)
    assert process.returncode == 0, process.stdout[-6000:] + process.stderr[-2000:]


def test_behind_the_shipped_file_everything_works_below_a_path(told: Gateway, tool: Tool, tmp_path: Path) -> None:
    with nginx_below_a_path(tool("nginx"), told.port, tmp_path) as url:
        use(url)
        assert requests.get(f"{url}/metrics", timeout=10).status_code == 404


def test_behind_a_proxy_that_takes_the_path_off_too(told: Gateway, tool: Tool, tmp_path: Path) -> None:
    with nginx_below_a_path(tool("nginx"), told.port, tmp_path, (PASS_ON, TAKE_OFF)) as url:
        use(url, LIVE)


def make_certificate(tool: Tool, folder: Path) -> Path:
    """For 127.0.0.1, signed by itself; the key stands in the same file."""
    path = folder / "certificate.pem"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = [tool("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", *names]
    subprocess.run([*command, "-keyout", str(path), "-out", str(folder / "public.pem")], capture_output=True, check=True)
    with path.open("a") as whole:
        whole.write((folder / "public.pem").read_text())
    return path


def test_behind_tls_our_own_pages_work_and_those_without_tls_may_change_nothing(told: Gateway, tool: Tool, tmp_path: Path) -> None:
    """Anybody on the way can write a page of the same host without TLS."""
    certificate = make_certificate(tool, tmp_path)
    with nginx_below_a_path(tool("nginx"), told.port, tmp_path, certificate=certificate) as url:
        use(url, "--test-name-pattern=live|JavaScript|WebSockets", NODE_EXTRA_CA_CERTS=str(certificate))
        own = url.removesuffix("/images")
        socket = f"{own.replace('https', 'wss')}/images/socket.io/?EIO=4&transport=websocket"
        for origin, answer in ((own, 404), (own.replace("https", "http"), 403), ("https://evil.example", 403)):
            path = f"{url}/api/jobs/none/cancel"
            assert requests.post(path, headers={"Origin": origin}, timeout=10, verify=str(certificate)).status_code == answer
            trusted = {"ca_certs": str(certificate)}
            if answer == 404:
                websocket.create_connection(socket, origin=origin, sslopt=trusted, timeout=10).close()
                continue
            with pytest.raises(websocket.WebSocketBadStatusException) as refused:
                websocket.create_connection(socket, origin=origin, sslopt=trusted, timeout=10)
            assert refused.value.status_code == 403


def test_a_trusted_proxy_may_say_the_path_by_itself(tool: Tool, tmp_path: Path) -> None:
    with (
        running(tmp_path / "data", GATEWAY_PROXY_HOPS="1", GUNICORN_WORKERS="3") as gateway,
        nginx_below_a_path(tool("nginx"), gateway.port, tmp_path, (PASS_ON, TAKE_OFF), (SAY_NOTHING, SAY_PREFIX)) as url,
    ):
        use(url, LIVE)
        direct = requests.get(f"{gateway.url}/api/nothing", headers={"X-Forwarded-Prefix": "//evil.example"}, timeout=10)
        assert direct.json()["type"] == "/problems/not_found"


def test_the_public_address_is_that_of_the_result(tmp_path: Path) -> None:
    with running(tmp_path / "data", GATEWAY_PUBLIC_URL="https://pictures.example/images", GUNICORN_WORKERS="1") as gateway:
        job = gateway.upload(photograph(64, 48))
        assert job["url"] == f"https://pictures.example/images/api/jobs/{job['id']}/result"
        assert job["links"]["self"] == f"/images/api/jobs/{job['id']}"
        described = requests.get(f"{gateway.url}/images/api/openapi.json", timeout=10).json()
        assert described["servers"] == [{"url": "https://pictures.example/images"}]
