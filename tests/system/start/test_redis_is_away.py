"""A ``REDIS_URL`` that cannot be used: one plain sentence within seconds, and another one when it can."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backend.redis_watch import why_not, without_password
from tests.support.redis_server import RedisServer, binary
from tests.support.running import ROOT, free_port, wait_for

pytestmark = pytest.mark.e2e


@contextmanager
def server(folder: Path, *options: str) -> Iterator[int]:
    """A real Redis on a port of its own."""
    port = free_port()
    command = [str(binary()), "--port", str(port), "--save", "", "--dir", str(folder), *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: getattr(why_not(f"redis://127.0.0.1:{port}"), "reason", "") != "redis_refused", 20)
        yield port
    finally:
        process.kill()
        process.wait()


def reason(url: str) -> str:
    found = why_not(url)
    return found.reason if found else ""


def test_each_reason_is_told_from_the_others(tmp_path: Path) -> None:
    assert reason(f"redis://127.0.0.1:{free_port()}/0") == "redis_refused"
    assert reason("redis://nowhere.invalid/0") == "redis_no_host"
    assert reason(f"unix://{tmp_path}/nowhere.sock") == "redis_no_socket"
    with server(tmp_path, "--requirepass", "secret") as port:
        assert reason(f"redis://127.0.0.1:{port}") == "redis_password"
        assert reason(f"redis://:wrong@127.0.0.1:{port}") == "redis_password"
        assert reason(f"redis://:secret@127.0.0.1:{port}/99") == "redis_database"
        assert reason(f"redis://:secret@127.0.0.1:{port}/1") == ""
    with server(tmp_path) as primary, server(tmp_path, "--replicaof", f"127.0.0.1 {primary}") as replica:
        assert reason(f"redis://127.0.0.1:{replica}") == "redis_replica"
        assert reason(f"rediss://127.0.0.1:{primary}") in ("redis_silent", "redis_tls", "redis_closed")


def test_what_is_shown_of_an_address_holds_no_password() -> None:
    assert without_password("rediss://me:secret@redis.example:6380/2") == "rediss://redis.example:6380/2"
    assert without_password("unix://me:secret@/run/redis.sock?db=1") == "unix:///run/redis.sock"
    assert without_password("redis://:secret@/1") == "redis://localhost:6379/1"


@contextmanager
def started(data_dir: Path, *arguments: str, **environment: str) -> Iterator[Callable[[], str]]:
    """``start.sh``, and what it has said on standard error so far."""
    told = data_dir.with_suffix(".told")
    given = {"GATEWAY_DATA_DIR": str(data_dir), "API_PORT": str(free_port()), "GUNICORN_WORKERS": "1", "GATEWAY_ENCODERS": "1"}
    whole = {**os.environ, **given, "LANG": "en_US.UTF-8", "GATEWAY_RUN_DIR": str(data_dir / "run"), **environment}
    with told.open("wb") as err, data_dir.with_suffix(".log").open("wb") as out:
        process = subprocess.Popen([str(ROOT / "start.sh"), *arguments], env=whole, stdout=out, stderr=err, stdin=subprocess.DEVNULL)
    try:
        yield told.read_text
        assert process.poll() is None, told.read_text()
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.parametrize("role", ["", "gateway", "encoder"])
def test_a_start_without_its_redis_says_so_within_seconds_and_when_it_has_come(role: str, tmp_path: Path) -> None:
    redis = RedisServer(str(binary()), tmp_path)
    begun_s = time.monotonic()
    with started(tmp_path / "data", *([role] if role else []), REDIS_URL=redis.url) as told:
        wait_for(lambda: f"There is no socket at unix://{redis.socket}" in told(), 30)
        assert told().count("There is no socket") == 1 and time.monotonic() - begun_s < 30
        redis.start()
        try:
            wait_for(lambda: f"unix://{redis.socket} answers now." in told(), 30)
            if not role:
                wait_for(lambda: "Ready after" in told(), 60)
        finally:
            ended = redis.kill
    ended()


def test_a_check_of_the_configuration_says_nothing_and_warns_of_nobody(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "--check-config", "run:application"]
    environment = {**os.environ, "GATEWAY_DATA_DIR": str(tmp_path / "data")}
    said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
