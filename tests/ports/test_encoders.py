"""The contract of ``Encoders``: Celery on a real Redis, and memory."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from kombu import pools

from backend import errors
from backend.adapters import redis_client
from backend.adapters.celery_encoders import QUEUE, TASK, CeleryEncoders, celery_app
from backend.adapters.redis_bell import RedisBell
from backend.adapters.redis_client import KEY_PREFIX
from backend.ports import Encoders
from tests.memory.encoders import MemoryEncoders
from tests.ports.redis_server import RedisServer


@dataclass
class Bell:
    encoders: Encoders
    rung: Callable[[], int]


@pytest.fixture(scope="session", autouse=True)
def kombu_poller(_session_redis: RedisServer) -> None:
    """kombu's poller lives as long as the process: open it before the detectors look."""
    app, client = celery_app(_session_redis.url), redis_client.connect(_session_redis.url)
    CeleryEncoders(app, RedisBell(client, messages=QUEUE)).wake()
    pools.reset()
    app.close()
    client.close()


@pytest.fixture
def celery_encoders(connect: Callable[[str], redis.Redis]) -> Iterator[Callable[[str], CeleryEncoders]]:
    apps = []

    def make(url: str) -> CeleryEncoders:
        apps.append(celery_app(url))
        return CeleryEncoders(apps[-1], RedisBell(connect(url), messages=QUEUE))

    yield make
    pools.reset()
    for app in apps:
        app.close()


@pytest.fixture(params=["celery", "memory"])
def bell(
    request: pytest.FixtureRequest,
    redis_server: RedisServer,
    connect: Callable[[str], redis.Redis],
    celery_encoders: Callable[[str], CeleryEncoders],
) -> Bell:
    if request.param == "memory":
        memory = MemoryEncoders()
        return Bell(memory, lambda: memory.woken)
    client = connect(redis_server.url)
    return Bell(celery_encoders(redis_server.url), lambda: client.llen(KEY_PREFIX + QUEUE))


def test_encoders_are_woken_once_for_each_job(bell: Bell) -> None:
    bell.encoders.wake()
    assert bell.rung() == 1
    bell.encoders.wake(3)
    assert bell.rung() == 4
    bell.encoders.wake(0)
    assert bell.rung() == 4


def test_a_message_is_json_and_carries_nothing_of_the_job(
    redis_server: RedisServer, connect: Callable[[str], redis.Redis], celery_encoders: Callable[[str], CeleryEncoders]
) -> None:
    celery_encoders(redis_server.url).wake()
    message = json.loads(connect(redis_server.url).lpop(KEY_PREFIX + QUEUE))
    assert message["content-type"] == "application/json"
    assert message["headers"]["task"] == TASK
    assert (message["headers"]["argsrepr"], message["headers"]["kwargsrepr"]) == ("()", "{}")


def test_an_unreachable_broker_is_named_and_not_waited_for(tmp_path: Path, celery_encoders: Callable[[str], CeleryEncoders]) -> None:
    begun = time.monotonic()
    with pytest.raises(errors.BackendUnavailable):
        celery_encoders(f"unix://{tmp_path}/nothing.sock").wake()
    assert time.monotonic() - begun < 3


def test_a_memory_bell_that_is_down_says_so() -> None:
    memory = MemoryEncoders()
    memory.is_down = True
    with pytest.raises(errors.BackendUnavailable):
        memory.wake()
