"""Hosts whose clocks are wrong: their processes run with another ``time.time``, as a wrong system clock gives it."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import pytest
import redis
import requests

from backend.adapters.redis.client import KEY_PREFIX
from tests.support.redis_server import RedisServer
from tests.support.running import ROOT, wait_for
from tests.system.versions.load import picture
from tests.system.versions.releases import deployment, end_of, upload

SHIFT = """
import os, time
_right, _wrong_s = time.time, float(os.environ.get("WRONG_CLOCK_S", "0"))
time.time = lambda: _right() + _wrong_s
"""
NEAR_S = 3.0


def at(text: object) -> float:
    return datetime.fromisoformat(str(text)).timestamp()


@pytest.mark.parametrize(("gateway_s", "encoder_s"), [(-3600, -10), pytest.param(0, 10, marks=pytest.mark.slow)])
def test_work_goes_on_and_times_are_right_where_clocks_are_wrong(tmp_path: Path, redis_server: RedisServer, gateway_s: int, encoder_s: int) -> None:
    """An encoder ten seconds slow made readiness 503 though jobs ran."""
    (tmp_path / "sitecustomize.py").write_text(SHIFT)
    with deployment(tmp_path / "here", redis_server.url, PYTHONPATH=str(tmp_path), GATEWAY_ENCODERS="1") as here:
        here.start_ready(ROOT, "encoder", WRONG_CLOCK_S=str(encoder_s))
        gateway = here.start_ready(ROOT, "gateway", WRONG_CLOCK_S=str(gateway_s))
        client = redis.Redis.from_url(redis_server.url)
        wait_for(lambda: client.hlen(KEY_PREFIX + "gateways") and client.hlen(KEY_PREFIX + "encoders"), 20, "for both to announce themselves")
        client.close()
        assert requests.get(f"{gateway.url}/api/health/ready", timeout=10).status_code == 200
        job = end_of(gateway, upload(gateway, picture(1)))
        created, started, finished = (at(job[name]) for name in ("created_at", "started_at", "finished_at"))
        assert job["state"] == "succeeded" and created <= started + NEAR_S and started <= finished
        assert all(abs(each - time.time()) < 30 for each in (created, started, finished))
        assert at(job["expires_at"]) > time.time() + 3600
        assert requests.post(f"{gateway.url}/api/convert", data=picture(2), timeout=30).status_code == 200
        health = requests.get(f"{gateway.url}/api/health", timeout=10).json()
        assert health["status"] == "ok" and health["encoders"]["count"] == 1
