"""``./start.sh redis`` listens where ``REDIS_URL`` says, for whom it says, and shows no password."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import redis
import requests

from backend.adapters.redis.client import connect
from backend.redis_watch import why_not
from tests.support.images import photograph
from tests.support.redis_places import Certificates
from tests.support.running import ROOT, free_port, running, wait_for

pytestmark = pytest.mark.e2e
PASSWORD = 'p"a s\\s:wörd'
ENCODED = "p%22a%20s%5Cs%3Aw%C3%B6rd"


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short enough for a socket's path."""
    return tmp_path_factory.mktemp("r")


def process(folder: Path, url: str | None, **environment: str) -> subprocess.Popen[str]:
    own = {
        "GATEWAY_DATA_DIR": str(folder / "data"),
        "GATEWAY_RUN_DIR": str(folder / "run"),
        "LANG": "en_US.UTF-8",
        **({"REDIS_URL": url} if url else {}),
        **environment,
    }
    whole = {name: value for name, value in os.environ.items() if name != "REDIS_URL"} | own
    return subprocess.Popen([str(ROOT / "start.sh"), "redis"], env=whole, text=True, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)


@contextmanager
def serving(folder: Path, url: str | None, **environment: str) -> Iterator[subprocess.Popen[str]]:
    started = process(folder, url, **environment)
    try:
        yield started
    finally:
        started.terminate()
        started.communicate(timeout=30)


def refusal(folder: Path, url: str) -> str:
    started = process(folder, url)
    _, told = started.communicate(timeout=60)
    assert started.returncode == 1
    assert told.count("\n") == 1, "one sentence"
    return told


def listening(pid: int) -> set[tuple[str, int]]:
    return {(each.laddr.ip, each.laddr.port) for each in psutil.Process(pid).net_connections("tcp") if each.status == psutil.CONN_LISTEN}


def test_a_cluster_uses_the_redis_that_the_role_started_with_its_user_and_password(folder: Path) -> None:
    port = free_port()
    url = f"redis://webp:{ENCODED}@127.0.0.3:{port}/20"
    (folder / "url").write_text(url + "\n")
    with serving(folder, None, REDIS_URL_FILE=str(folder / "url")) as server:
        wait_for(lambda: why_not(url) is None, 30)
        assert listening(server.pid) == {("127.0.0.3", port)}
        assert "wörd" not in " ".join(psutil.Process(server.pid).cmdline()) and ENCODED not in " ".join(psutil.Process(server.pid).cmdline())
        for other in (f"redis://127.0.0.3:{port}", f"redis://:{ENCODED}@127.0.0.3:{port}", f"redis://webp:wrong@127.0.0.3:{port}"):
            found = why_not(other)
            assert found is not None and found.reason == "redis_password"
        with connect(url) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("save") == {"save": ""}
        with running(folder / "gateway", REDIS_URL=url, GUNICORN_WORKERS="1", GATEWAY_ENCODERS="1") as gateway:
            assert gateway.ended(gateway.upload(photograph(320, 240))["id"])["state"] == "succeeded"
            assert requests.get(f"{gateway.url}/api/health/ready", timeout=10).status_code == 200


def test_without_a_url_it_is_a_private_socket_and_no_port(folder: Path) -> None:
    with serving(folder, None) as server:
        path = folder / "run" / "redis.sock"
        wait_for(path.exists, 30)
        assert listening(server.pid) == set()
        with redis.Redis(unix_socket_path=str(path)) as client:
            wait_for(client.ping, 10)
        assert "cannot be listened on: Address already in use" in refusal(folder, f"unix://{path}")


def test_tls_is_served_with_the_certificate_of_the_url(folder: Path) -> None:
    certificates, port = Certificates(folder), free_port()
    certificate, key = certificates.sign("server", "IP:127.0.0.1")
    url = f"rediss://:{ENCODED}@127.0.0.1:{port}?ssl_ca_certs={certificates.ca}"
    assert "no certificate is given" in refusal(folder, url)
    with serving(folder, f"{url}&ssl_certfile={certificate}&ssl_keyfile={key}"):
        wait_for(lambda: why_not(url) is None, 30)


def test_what_should_not_be_served_is_refused_in_one_sentence(folder: Path) -> None:
    assert "Give REDIS_URL a password: redis://:password@host:6400/0." in refusal(folder, "redis://0.0.0.0:6400")
    assert "is one server and no group of Sentinels" in refusal(folder, "redis+sentinel://127.0.0.1/mymaster")
    assert "192.0.2.7:6400 cannot be listened on" in refusal(folder, "redis://:secret@192.0.2.7:6400")
    with serving(folder, f"redis://127.0.0.1:{(port := free_port())}"):
        wait_for(lambda: why_not(f"redis://127.0.0.1:{port}") is None, 30)
        assert "cannot be listened on: Address already in use" in refusal(folder, f"redis://127.0.0.1:{port}")
