"""``gunicorn --config gunicorn.conf.py run:application`` by itself; what counts for more than what."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import requests

from tests.support.images import photograph, pillows_webp
from tests.support.running import ROOT, Gateway, free_port, wait_for

pytestmark = pytest.mark.e2e
GUNICORN = [str(ROOT / ".venv/bin/python"), "-m", "gunicorn", "--config", "gunicorn.conf.py"]


@contextmanager
def by_itself(data_dir: Path, *arguments: str, **given: str) -> Iterator[Gateway]:
    """As an operator starts it who knows Gunicorn; at the end nothing of it may be left."""
    gateway = Gateway(data_dir)
    environment = {**os.environ, "API_PORT": str(gateway.port), "GATEWAY_DATA_DIR": str(data_dir), "GATEWAY_LOG_FORMAT": "text", **given}
    with gateway.log.open("wb") as log:
        process = gateway.process = subprocess.Popen([*GUNICORN, *arguments, "run:application"], cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        wait_for(lambda: _answers(gateway), 60, gateway.log.read_text()[-2000:])
        yield gateway
        seen = gateway.family() if process.poll() is None else []
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0
        wait_for(lambda: not [each for each in seen if each.is_running() and each.status() != psutil.STATUS_ZOMBIE], 20, "for all of it to end")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _answers(gateway: Gateway) -> bool:
    try:
        return requests.get(f"{gateway.url}/api/health/live", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def test_by_itself_it_is_a_whole_gateway(data_dir: Path) -> None:
    before = set(Path(tempfile.gettempdir()).glob("webp-gateway-*"))
    image = photograph(480, 360)
    with by_itself(data_dir, GUNICORN_WORKERS="2", GATEWAY_ENCODERS="1") as gateway:
        wait_for(lambda: gateway.health()["status"] == "ok", 40, "for Redis and an encoder")
        job_id = gateway.upload(image)["id"]
        assert gateway.ended(job_id)["state"] == "succeeded"
        assert gateway.result(job_id) == pillows_webp(image)
    assert set(Path(tempfile.gettempdir()).glob("webp-gateway-*")) == before
    assert not list(data_dir.rglob("*.sock"))


@pytest.mark.slow
def test_with_a_redis_of_its_own_it_is_a_gateway_alone_and_says_what_is_missing(data_dir: Path, tmp_path: Path) -> None:
    with by_itself(data_dir, GUNICORN_WORKERS="1", REDIS_URL=f"unix://{tmp_path}/nowhere.sock") as gateway:
        health = gateway.health()
        assert (health["status"], health["failing"]) == ("unavailable", ["redis", "encoders"])
        assert len(gateway.family()) == 2, "a master and a worker"
        assert gateway.upload(photograph(64, 64))["state"] == "queued", "what is taken is in the store"


@pytest.mark.slow
def test_the_command_line_beats_the_environment_which_beats_the_default_and_all_is_shown(data_dir: Path, tmp_path: Path) -> None:
    given = {"GUNICORN_WORKERS": "3", "GUNICORN_TIMEOUT": "77", "REDIS_URL": f"unix://{tmp_path}/nowhere.sock"}
    access = tmp_path / "access.txt"
    with by_itself(data_dir, "--workers", "1", "--keep-alive", "9", "--log-level", "debug", "--access-logfile", str(access), **given) as gateway:
        requests.get(f"{gateway.url}/api/capabilities", timeout=10)
        wait_for(lambda: access.exists() and "/api/capabilities" in access.read_text(), 20)
    shown = re.search(r"GUNICORN_WORKERS=.*", gateway.log.read_text())
    assert shown is not None
    values = dict(each.split("=", 1) for each in shown[0].split())
    assert values["GUNICORN_WORKERS"] == "1" and values["GUNICORN_KEEPALIVE"] == "9"
    assert values["GUNICORN_TIMEOUT"] == "77"
    assert values["GUNICORN_MAX_REQUESTS"] == "1000" and values["GUNICORN_MAX_REQUESTS_JITTER"] == "50"
    assert values["worker_class"] == "backend.server.worker.BoundedGeventWebSocketWorker"
    assert " debug " in gateway.log.read_text()


@pytest.mark.parametrize(
    ("arguments", "given", "said"),
    [
        (["--preload"], {}, "preload_app cannot be used"),
        (["-k", "asgi"], {}, "run:app is a WSGI application"),
        ([], {"GUNICORN_WORKERS": "many", "GATEWAY_NO_SUCH": "1"}, "GUNICORN_WORKERS='many': expected a whole number"),
    ],
)
def test_what_cannot_be_ends_the_start_with_code_2(data_dir: Path, arguments: list[str], given: dict[str, str], said: str) -> None:
    environment = {**os.environ, "API_PORT": str(free_port()), "GATEWAY_DATA_DIR": str(data_dir), **given}
    command = [*GUNICORN, *arguments, "run:application"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert said in ended.stdout + ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.slow
def test_by_usr2_a_new_binary_takes_over_and_redis_and_encoders_with_it(data_dir: Path) -> None:
    image = photograph(480, 360)
    with by_itself(data_dir, GUNICORN_WORKERS="1", GATEWAY_ENCODERS="1") as gateway:
        wait_for(lambda: gateway.health()["status"] == "ok", 60, "for Redis and an encoder")
        done, old = gateway.upload(image)["id"], psutil.Process(gateway.process.pid if gateway.process else 0)
        assert gateway.ended(done)["state"] == "succeeded"
        old.send_signal(signal.SIGUSR2)
        new = wait_for(lambda: next((each for each in old.children() if _is_master(each)), None), 60, "for the second master")
        try:
            waiting = gateway.upload(image)["id"]
            old.send_signal(signal.SIGTERM)
            wait_for(lambda: not old.is_running() or old.status() == psutil.STATUS_ZOMBIE, 60, "for the first master to go")
            wait_for(lambda: _is_well(gateway), 60, "for Redis and encoders of the second")
            for job_id in (done, waiting, gateway.upload(image)["id"]):
                assert gateway.ended(job_id)["state"] == "succeeded"
                assert gateway.result(job_id) == pillows_webp(image)
        finally:
            new.send_signal(signal.SIGTERM)
            wait_for(lambda: not new.is_running() or new.status() == psutil.STATUS_ZOMBIE, 60, "for the second master to end")


def _is_master(process: psutil.Process) -> bool:
    try:
        return "gunicorn" in " ".join(process.cmdline()) and bool(process.children()) and "companions" not in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False


def _is_well(gateway: Gateway) -> bool:
    try:
        return gateway.health()["status"] == "ok"
    except requests.RequestException:
        return False
