"""Two deployments share one Redis server and one database: neither sees, hears or disturbs the other."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
import redis

from tests.support.images import photograph
from tests.support.redis_server import RedisServer
from tests.support.running import ROOT, Gateway, running, wait_for
from tests.system.ops.processes import celery_master, pool

pytestmark = pytest.mark.e2e
OURS, THEIRS = "{webp-gateway}:", "{team-b.staging:2}:"
KEYLESS = [
    "PING",
    "INFO",
    "HELLO",
    "CLIENT",
    "SELECT",
    "MULTI",
    "EXEC",
    "DISCARD",
    "UNWATCH",
    "SCRIPT",
    "TIME",
    "MONITOR",
    "AUTH",
    "COMMAND",
    "CONFIG",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, redis_binary: str) -> Iterator[RedisServer]:
    server = RedisServer(redis_binary, tmp_path_factory.mktemp("r"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def commands(server: RedisServer) -> Iterator[list[str]]:
    """What clients say to the server, scripts included, one line a command."""
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX) as monitor:
        monitor.connect(str(server.socket))
        monitor.sendall(b"MONITOR\r\n")
        lines = monitor.makefile(encoding="utf-8", errors="replace")
        reader = threading.Thread(target=lambda: heard.extend(line.partition("] ")[2].replace('"', "") for line in lines), daemon=True)
        reader.start()
        yield heard
        monitor.shutdown(socket.SHUT_RDWR)
        reader.join(10)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, server: RedisServer, commands: list[str]) -> Iterator[tuple[Gateway, Gateway]]:
    folder = tmp_path_factory.mktemp("both")
    common = {"REDIS_URL": server.url, "GUNICORN_WORKERS": "1", "GATEWAY_ENCODERS": "1"}
    with running(folder / "a", **common) as ours, running(folder / "b", **common, GATEWAY_REDIS_PREFIX=THEIRS[1:-2]) as theirs:
        yield ours, theirs


def said(gateway: Gateway, *arguments: str) -> str:
    environment = {**os.environ, **gateway.environment, "GATEWAY_DATA_DIR": str(gateway.data_dir)}
    command = [sys.executable, "-m", "celery", "-A", "backend.encoder", arguments[0], "--timeout", "5", *arguments[1:]]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, text=True, capture_output=True, timeout=60)
    return done.stdout + done.stderr


def test_no_job_and_no_figure_crosses_over(both: tuple[Gateway, Gateway]) -> None:
    ours, theirs = both
    celery_master(theirs).suspend()
    for each in pool(theirs):
        each.suspend()
    try:
        theirs_id = theirs.upload(photograph(320, 240, 1))["id"]
        ours_ids = [ours.upload(photograph(320, 240, seed))["id"] for seed in range(4)]
        assert [ours.ended(each)["state"] for each in ours_ids] == ["succeeded"] * 4
        assert ours.health()["queue"]["queued"] == 0 and theirs.health()["queue"]["queued"] == 1
        assert theirs.job(theirs_id)["state"] == "queued", "an encoder of the other deployment took it"
    finally:
        for each in [celery_master(theirs), *pool(theirs)]:
            each.resume()
    assert theirs.ended(theirs_id)["state"] == "succeeded"
    assert [each.health()["encoders"]["count"] for each in both] == [1, 1]


def test_inspect_and_events_show_only_ones_own(both: tuple[Gateway, Gateway]) -> None:
    for gateway in both:
        answer = said(gateway, "inspect", "stats")
        assert "1 node online" in answer
        assert re.findall(r'"processes": \[\s*(\d+)', answer) == [str(pool(gateway)[0].pid)]


def test_each_key_and_each_channel_begins_with_the_deployments_name(both: tuple[Gateway, Gateway], commands: list[str], server: RedisServer) -> None:
    for gateway in both:
        assert gateway.ended(gateway.upload(photograph(640, 480))["id"])["state"] == "succeeded"
    with_keys = [line for line in commands if line.strip() and line.split()[0] not in KEYLESS]
    assert [line for line in with_keys if OURS not in line and THEIRS not in line] == []
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        assert [key for key in client.scan_iter() if not key.startswith((OURS, THEIRS))] == []
        patterns = [line for line in commands if line.startswith("PSUBSCRIBE")]
        assert patterns and all(word.startswith((OURS, THEIRS)) for line in patterns for word in line.split()[1:])
        channels = client.pubsub_channels()
        assert channels and all(each.startswith((OURS, THEIRS)) for each in channels)


def test_what_one_is_told_by_remote_control_the_other_does_not_hear(both: tuple[Gateway, Gateway]) -> None:
    ours, theirs = both
    assert "OK" in said(theirs, "control", "disable_events")
    assert '"disable_events"' not in said(ours, "inspect", "stats")
    assert "task events already disabled" in said(theirs, "control", "disable_events")
    assert "task events already enabled" in said(ours, "control", "enable_events")


def test_deleting_one_by_its_name_leaves_the_other(both: tuple[Gateway, Gateway], server: RedisServer) -> None:
    ours, theirs = both
    kept = ours.upload(photograph(640, 480, 3))["id"]
    assert ours.ended(kept)["state"] == "succeeded"
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        before = set(client.scan_iter(OURS + "job:*"))
        client.delete(*client.scan_iter(THEIRS + "*"))
        assert set(client.scan_iter(OURS + "job:*")) == before
    assert ours.job(kept)["state"] == "succeeded"
    wait_for(lambda: theirs.ended(theirs.upload(photograph(320, 240, 9))["id"])["state"] == "succeeded", 60, "for the other to be rebuilt")
