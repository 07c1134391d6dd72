"""Who holds a secret of the operator's environment: read from /proc, as whoever took over one of these processes would."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from tests.support.images import photograph
from tests.support.running import Gateway, running, wait_for
from tests.system.ops.processes import celery_master, gunicorn_master, pool, workers

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")]
KEY = "a-key-that-no-decoder-should-hold"
SECRETS = {
    "GATEWAY_API_KEYS": KEY,
    "AWS_SECRET_ACCESS_KEY": "a-buckets-secret",
    "GITHUB_TOKEN": "a-token-of-the-shell",
    "DATABASE_PASSWORD": "a-password-of-the-shell",
}
CODECS_OWN = {"LC_ALL", "MALLOC_ARENA_MAX", "GLIBC_TUNABLES"}


def environment(process: psutil.Process) -> dict[str, str]:
    """Empty for one that has ended."""
    try:
        lines = Path(f"/proc/{process.pid}/environ").read_bytes().decode("utf-8", "replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return dict(line.partition("=")[::2] for line in lines if "=" in line)


def secrets_of(process: psutil.Process) -> set[str]:
    """Wherever in its environment one stands."""
    values = " ".join(environment(process).values())
    return {name for name, secret in SECRETS.items() if secret in values}


def codec_processes(gateway: Gateway) -> list[psutil.Process]:
    """Zygotes and their children, those with an order and those that wait for one."""
    zygotes = gateway.find("zygote")
    children = []
    for each in zygotes:
        with contextlib.suppress(psutil.NoSuchProcess):
            children += each.children()
    return [*zygotes, *children]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running(tmp_path_factory.mktemp("environment") / "data", GUNICORN_WORKERS="2", GATEWAY_ENCODERS="2", **SECRETS) as gateway:
        answer = requests.post(f"{gateway.url}/api/convert", data=photograph(320, 200), headers={"X-API-Key": KEY}, timeout=60)
        assert answer.status_code == 200
        wait_for(lambda: len(codec_processes(gateway)) >= 2, 20, "for a zygote and its child")
        yield gateway


def test_only_the_gateway_and_its_supervisor_hold_the_operators_secrets(guarded: Gateway) -> None:
    assert guarded.process is not None
    own = {guarded.process.pid, gunicorn_master(guarded).pid, *(each.pid for each in workers(guarded))}
    others = [each for each in guarded.family() if each.pid not in own]
    assert len(others) >= 5, "Redis, Celery's master, its pool, a zygote, a child"
    assert {each.pid: secrets_of(each) for each in others if secrets_of(each)} == {}


def test_encoders_hold_what_they_need(guarded: Gateway) -> None:
    for each in [celery_master(guarded), *pool(guarded)]:
        assert {"GATEWAY_DATA_DIR", "GATEWAY_RUN_DIR", "PATH", "TMPDIR"} <= environment(each).keys()


def test_redis_and_the_codec_hold_next_to_nothing(guarded: Gateway) -> None:
    redis = next(each for each in guarded.family() if "redis.sock" in " ".join(each.cmdline()) or "-server" in each.name())
    assert environment(redis).keys() <= {"PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH"}
    for each in codec_processes(guarded):
        assert not [name for name in environment(each) if name not in CODECS_OWN and not name.startswith("glibc.")]
