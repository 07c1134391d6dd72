"""What of a Redis will not do is told when the gateway starts, and in health and the log when it changes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from backend.adapters.redis import rights
from backend.adapters.redis.client import KEY_PREFIX, connect
from backend.adapters.redis.scripts import sources
from backend.adapters.redis.server_look import ServerLook
from backend.errors import CannotStart
from backend.redis_looks import RedisLooks
from backend.redis_watch import look_at
from tests.fakes.context import MemoryContext
from tests.support.images import photograph
from tests.support.ports import free_cluster_port
from tests.support.redis_places import HERE, RedisProcess, redis_process
from tests.support.running import ROOT, Gateway, running, wait_for

pytestmark = pytest.mark.e2e


def found(server: RedisProcess, secrets: str = "") -> list[str]:
    seen = look_at(f"redis://{secrets}{HERE}:{server.port}", KEY_PREFIX)
    return [each.code for each in seen.warnings] if isinstance(seen, ServerLook) else [f"! {seen.reason}"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    with redis_process(tmp_path_factory.mktemp("redis")) as server:
        yield server


@contextmanager
def configured(server: RedisProcess, **values: str) -> Iterator[None]:
    with redis.Redis(HERE, server.port, decode_responses=True) as operator:
        before = operator.config_get(*(each.replace("_", "-") for each in values))
        for name, value in values.items():
            operator.config_set(name.replace("_", "-"), value)
        yield
        for name, value in before.items():
            operator.config_set(name, value)


def test_a_redis_as_it_should_be_has_nothing_to_tell_and_keeps_nothing(server: RedisProcess) -> None:
    assert found(server) == []
    with redis.Redis(HERE, server.port) as operator:
        assert operator.keys() == []


def test_what_works_until_it_is_full_is_warned_of(server: RedisProcess) -> None:
    with configured(server, maxmemory="100mb", maxmemory_policy="allkeys-lru"):
        assert found(server) == ["redis_evicts"]
    with configured(server, maxmemory="100mb", maxmemory_policy="volatile-ttl"):
        assert found(server) == ["redis_evicts"]
    with configured(server, maxmemory="0", maxmemory_policy="allkeys-lru"):
        assert found(server) == []
    with configured(server, timeout="5"):
        assert found(server) == ["redis_idle"]
    with configured(server, timeout="300"):
        assert found(server) == []


def test_each_command_that_is_denied_or_missing_is_named(server: RedisProcess) -> None:
    with redis.Redis(HERE, server.port) as operator:
        for command in (*rights.IN_SCRIPTS, "EVALSHA", "EVAL", "BRPOP", "SUBSCRIBE", "PSUBSCRIBE", "WATCH"):
            operator.execute_command(*f"ACL SETUSER limited reset on >pw ~* &* +@all -{command.lower()}".split())
            seen = look_at(f"redis://limited:pw@{HERE}:{server.port}", KEY_PREFIX)
            assert isinstance(seen, CannotStart) and (seen.reason, seen.params["commands"]) == ("redis_rights", command)
        operator.execute_command(*["ACL", "SETUSER", "limited", "reset", "on", ">pw", "~other:*", "&*", "+@all"])
        assert found(server, "limited:pw@") == ["! redis_rights"]
        operator.execute_command(*["ACL", "SETUSER", "limited", "reset", "on", ">pw", "~*", "&*", "+@all", "-info", "-config"])
        assert found(server, "limited:pw@") == ["redis_no_info"]


def test_a_service_that_has_renamed_commands_is_looked_at_all_the_same(tmp_path: Path) -> None:
    with redis_process(tmp_path / "a", 'rename-command CONFIG ""', 'rename-command CLIENT ""') as server:
        assert found(server) == []
    with redis_process(tmp_path / "b", 'rename-command INFO ""') as server:
        assert found(server) == ["redis_no_info"]
    with redis_process(tmp_path / "c", 'rename-command EVALSHA ""') as server:
        assert found(server) == ["! redis_rights"]


def test_the_node_of_a_cluster_that_has_our_keys_serves_and_another_names_it(tmp_path: Path) -> None:
    with (
        redis_process(tmp_path / "a", "cluster-enabled yes", port=free_cluster_port()) as one,
        redis_process(tmp_path / "b", "cluster-enabled yes", port=free_cluster_port()) as two,
    ):
        with redis.Redis(HERE, one.port) as first, redis.Redis(HERE, two.port) as second:
            slot = int(first.execute_command("CLUSTER", "KEYSLOT", KEY_PREFIX))
            first.execute_command("CLUSTER", "ADDSLOTSRANGE", slot, slot)
            second.execute_command("CLUSTER", "ADDSLOTSRANGE", *(0, slot - 1) if slot else (1, 16383))
            second.execute_command("CLUSTER", "ADDSLOTSRANGE", slot + 1, 16383)
            first.execute_command("CLUSTER", "SET-CONFIG-EPOCH", 1)
            second.execute_command("CLUSTER", "SET-CONFIG-EPOCH", 2)
            first.execute_command("CLUSTER", "MEET", HERE, two.port)
            wait_for(lambda: "cluster_state:ok" in str(second.execute_command("CLUSTER", "INFO")), 30)
            wait_for(lambda: "cluster_state:ok" in str(first.execute_command("CLUSTER", "INFO")), 30)
        assert found(one) == []
        seen = look_at(f"redis://{HERE}:{two.port}", KEY_PREFIX)
        assert isinstance(seen, CannotStart) and (seen.reason, seen.params["owner"]) == ("redis_cluster", f"{HERE}:{one.port}")


def test_what_changes_while_it_runs_is_told_once_in_the_log_and_in_health(server: RedisProcess, caplog: pytest.LogCaptureFixture) -> None:
    context = MemoryContext().context
    looks = RedisLooks(f"redis://{HERE}:{server.port}", KEY_PREFIX, context.duties)
    looks.look("one")
    assert looks.codes() == {"redis": {"warnings": []}}
    with configured(server, maxmemory="100mb", maxmemory_policy="allkeys-lru"):
        looks.look("one")
        looks.look("one")
        assert looks.codes() == {"redis": {"warnings": ["redis_evicts"]}}
        assert [line for line in caplog.messages if "allkeys-lru" in line] == [caplog.messages[0]]
        (sentence,) = looks.sentences()
        assert "allkeys-lru" in sentence["en"] and "淘汰" in sentence["zh-CN"]
    looks.look("one")
    assert looks.codes() == {"redis": {"warnings": []}}


def test_the_table_of_rights_has_every_command_of_the_scripts() -> None:
    calls = (first for source in sources().values() for first in re.findall(r"redis\.p?call\(([^,)]*)", source))
    used = {name for first in calls for name in re.findall(r"'([A-Z]+)'", first)}
    assert used <= set(rights.IN_SCRIPTS) | set(rights.OURS)


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RedisProcess, Gateway]]:
    """A gateway and its encoders, as the user that the documentation makes."""
    folder = tmp_path_factory.mktemp("limited")
    with redis_process(folder / "redis") as server:
        line = rights.acl_line("webp", KEY_PREFIX)
        assert line in (ROOT / "docs/operate/redis.md").read_text("utf-8") and line in (ROOT / "docs/operate/redis.zh-CN.md").read_text("utf-8")
        with redis.Redis(HERE, server.port) as operator:
            operator.execute_command(*(word.strip("'") for word in line.replace("PASSWORD", "secret").split()))
        settings = {"REDIS_URL": f"redis://webp:secret@{HERE}:{server.port}/0", "GUNICORN_WORKERS": "1", "GATEWAY_ENCODERS": "2"}
        with running(folder / "data", **settings) as gateway:
            yield server, gateway


def test_everything_works_with_exactly_the_documented_rights(limited: tuple[RedisProcess, Gateway]) -> None:
    server, gateway = limited
    ids = [gateway.upload(photograph(640, 480, seed))["id"] for seed in range(6)]
    assert [gateway.ended(each)["state"] for each in ids] == ["succeeded"] * 6
    environment = {**os.environ, **gateway.environment, "GATEWAY_DATA_DIR": str(gateway.data_dir)}
    for words in (("inspect", "active"), ("control", "enable_events"), ("inspect", "stats")):
        command = [sys.executable, "-m", "celery", "-A", "backend.encoder", words[0], "--timeout", "10", words[1]]
        said = subprocess.run(command, cwd=ROOT, env=environment, check=False, text=True, capture_output=True, timeout=60)
        assert said.returncode == 0, said.stdout + said.stderr
    assert gateway.health()["redis"] == {"warnings": []}
    with connect(f"redis://{HERE}:{server.port}") as operator:
        denied = operator.execute_command("ACL", "LOG")
        for pattern in ("celeryev/*", "celery.pidbox"):
            assert operator.execute_command("ACL", "DRYRUN", "webp", "PSUBSCRIBE", f"{KEY_PREFIX}/0.{pattern}") == "OK"
    assert [each for each in denied if "setinfo" not in str(each)] == [], "redis-py introduces itself where it may, from Redis 7.2 on"
