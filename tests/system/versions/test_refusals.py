"""A process that does not understand what is there does not start: one sentence, in both languages where the locale says none, and exit code 3."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import redis

from backend.adapters.redis.client import KEY_PREFIX
from backend.core.protocol import NEWEST
from backend.flows.check_protocol import EXIT_CODE
from tests.support.redis_server import RedisServer
from tests.support.running import ROOT
from tests.system.versions.releases import ROLES, Deployment, deployment

WAYS = {
    **ROLES,
    "celery -A": ["-m", "celery", "--app", "backend.encoder", "worker", "--concurrency", "1"],
    "gunicorn without our file": ["-m", "gunicorn", "--config", "/dev/null", "--bind", "127.0.0.1:0", "--worker-class", "gevent", "run:app"],
    "run.py": ["run.py"],
    "start.sh gateway": ["-m", "backend", "check", "gateway"],
}
STRANGER = {"host": "far", "version": "9.0.0", "protocol": [NEWEST + 1, NEWEST + 2]}


def refusal(here: Deployment, way: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(ROLES, way, WAYS[way])
    started = here.start(ROOT, way, LC_ALL="C")
    assert started.process.wait(30) == EXIT_CODE, started.said()
    return started.said()


IN_SHORT = ("gateway", "celery -A", "gunicorn without our file")


@pytest.mark.parametrize("way", [each if each in IN_SHORT else pytest.param(each, marks=pytest.mark.slow) for each in WAYS])
def test_a_stranger_stops_every_way_of_starting(tmp_path: Path, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    entry = json.dumps({"until": round(time.time() + 600, 3), "clock": "redis", "facts": STRANGER}, separators=(",", ":"))
    client = redis.Redis.from_url(redis_server.url)
    client.hset(KEY_PREFIX + "gateways", "stranger", entry)
    with deployment(tmp_path / "here", redis_server.url) as here:
        said = refusal(here, way, monkeypatch)
    assert said.count("far (release 9.0.0) speaks") == said.count("far 上正在运行的") == 1
    assert "Traceback" not in said
    assert client.hkeys(KEY_PREFIX + "encoders") == []
    client.close()


@pytest.mark.parametrize("way", [pytest.param("gateway", marks=pytest.mark.slow), "encoder"])
def test_data_of_a_newer_release_stops_the_start(tmp_path: Path, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    with deployment(tmp_path / "here", redis_server.url) as here:
        store = tmp_path / "here" / "data" / "store"
        store.mkdir(parents=True, mode=0o700)
        (store / "protocol").write_text(str(NEWEST + 1))
        assert f"needs protocol {NEWEST + 1}" in refusal(here, way, monkeypatch)
        (store / "protocol").unlink()
        client = redis.Redis.from_url(redis_server.url)
        client.set(KEY_PREFIX + "protocol", NEWEST + 1)
        client.close()
        assert f"The data of Redis needs protocol {NEWEST + 1}" in refusal(here, way, monkeypatch)
