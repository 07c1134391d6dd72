"""Redis in a group that Sentinels watch: the primary dies, another is promoted, and every job that was acknowledged ends well."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
import redis
import requests

from tests.support.images import photograph
from tests.support.redis_places import HERE, SentinelGroup
from tests.support.running import ROOT, Gateway, running, wait_for

pytestmark = pytest.mark.e2e
PASSWORD, SENTINELS_PASSWORD = "servers-secret", "sentinels-secret"


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelGroup]:
    group = SentinelGroup(tmp_path_factory.mktemp("group"), password=PASSWORD, sentinel_password=SENTINELS_PASSWORD)
    try:
        group.start()
        yield group
    finally:
        group.kill()


@pytest.fixture(scope="module")
def gateway(group: SentinelGroup, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    settings = {"REDIS_URL": group.url, "GUNICORN_WORKERS": "1", "GATEWAY_ENCODERS": "2", "GATEWAY_SHARE_RESULTS": "on"}
    with running(tmp_path_factory.mktemp("gateway") / "data", **settings) as gateway:
        yield gateway


class Load:
    """Uploads without a pause; what was acknowledged is remembered."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.acknowledged: list[str] = []
        self.is_over = False
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        image = photograph(1200, 900)
        while not self.is_over:
            try:
                answer = requests.post(f"{self.gateway.url}/api/jobs", data=image, params={"quality": 60 + len(self.acknowledged) % 30}, timeout=30)
            except requests.RequestException:
                continue
            if answer.status_code == 202:
                self.acknowledged.append(answer.json()["id"])

    def __enter__(self) -> Load:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over = True
        self.thread.join(60)


def inspected(gateway: Gateway) -> str:
    environment = {**os.environ, **gateway.environment, "GATEWAY_DATA_DIR": str(gateway.data_dir)}
    command = [sys.executable, "-m", "celery", "-A", "backend.encoder", "inspect", "ping"]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False, text=True, capture_output=True, timeout=60).stdout


def test_jobs_that_wait_and_run_survive_the_death_of_the_primary(gateway: Gateway, group: SentinelGroup) -> None:
    with Load(gateway) as load:
        wait_for(lambda: len(load.acknowledged) >= 10, 60)
        died = group.primary()
        died.kill()
        wait_for(lambda: group.primary() is not died, 30, "for the Sentinels to promote the replica")
        before = len(load.acknowledged)
        wait_for(lambda: len(load.acknowledged) >= before + 10, 60, "for uploads to be taken again")
    states = {each: gateway.ended(each, 120)["state"] for each in load.acknowledged}
    assert set(states.values()) == {"succeeded"}
    assert gateway.health()["status"] == "ok"
    wait_for(lambda: "pong" in inspected(gateway), 60, "for remote control over the new primary")


def test_an_ordered_failover_under_load_loses_nothing(gateway: Gateway, group: SentinelGroup) -> None:
    with Load(gateway) as load:
        wait_for(lambda: len(load.acknowledged) >= 10, 60)
        before = group.primary()
        with redis.Redis(HERE, group.sentinels[0].port, password=SENTINELS_PASSWORD) as sentinel:
            wait_for(lambda: accepted(sentinel), 30, "for the Sentinel to begin a failover")
        wait_for(lambda: group.primary() is not before, 30, "for the failover")
        count = len(load.acknowledged)
        wait_for(lambda: len(load.acknowledged) >= count + 10, 60, "for uploads to be taken again")
    states = {each: gateway.ended(each, 120)["state"] for each in load.acknowledged}
    assert set(states.values()) == {"succeeded"}
    wait_for(lambda: "pong" in inspected(gateway), 60, "for remote control over the new primary")


def accepted(sentinel: redis.Redis) -> bool:
    try:
        return bool(sentinel.execute_command("SENTINEL", "FAILOVER", "mymaster"))
    except redis.ResponseError:
        return False
