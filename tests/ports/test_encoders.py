"""The contract of ``Encoders``: Celery on a real Redis, and memory."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from kombu import pools

from backend import errors
from backend.adapters.celery_encoders import QUEUE, TASK, CeleryEncoders, EncodersBeside, celery_app
from backend.adapters.redis import client as redis_client
from backend.adapters.redis.client import KEY_PREFIX
from backend.adapters.redis.scripts import Scripts
from backend.adapters.redis_bell import RedisBell
from backend.ports.encoders import Encoders
from tests.memory.encoders import MemoryEncoders
from tests.memory.waiting import until
from tests.ports.redis_server import RedisServer


@dataclass
class Bell:
    encoders: Encoders
    rung: Callable[[], int]


@pytest.fixture(scope="session", autouse=True)
def kombu_poller(_session_redis: RedisServer) -> None:
    """kombu's poller lives as long as the process: open it before the detectors look."""
    app, client = celery_app(_session_redis.url), redis_client.connect(_session_redis.url)
    CeleryEncoders(app, RedisBell(Scripts(client, KEY_PREFIX), messages=QUEUE)).wake()
    pools.reset()
    app.close()
    client.close()


@pytest.fixture
def celery_encoders(connect: Callable[[str], redis.Redis]) -> Iterator[Callable[[str], CeleryEncoders]]:
    apps = []

    def make(url: str) -> CeleryEncoders:
        apps.append(celery_app(url))
        return CeleryEncoders(apps[-1], RedisBell(Scripts(connect(url), KEY_PREFIX), messages=QUEUE))

    yield make
    pools.reset()
    for app in apps:
        app.close()


@pytest.fixture(params=["celery", "celery, beside", "memory"])
def bell(
    request: pytest.FixtureRequest,
    redis_server: RedisServer,
    connect: Callable[[str], redis.Redis],
    celery_encoders: Callable[[str], CeleryEncoders],
) -> Bell:
    if request.param == "memory":
        memory = MemoryEncoders()
        return Bell(memory, lambda: memory.woken)
    client, celery = connect(redis_server.url), celery_encoders(redis_server.url)
    return Bell(EncodersBeside(celery) if "beside" in request.param else celery, lambda: client.llen(KEY_PREFIX + QUEUE))


def test_encoders_are_woken_once_for_each_job(bell: Bell) -> None:
    bell.encoders.wake()
    until(lambda: bell.rung() == 1)
    bell.encoders.wake(3)
    until(lambda: bell.rung() == 4)
    bell.encoders.wake(0)
    time.sleep(0.05)
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


def test_nobody_waits_for_a_broker_that_is_out_of_reach_where_waking_goes_beside(
    tmp_path: Path, celery_encoders: Callable[[str], CeleryEncoders]
) -> None:
    encoders, begun = EncodersBeside(celery_encoders(f"unix://{tmp_path}/nothing.sock")), time.monotonic()
    encoders.wake()
    assert time.monotonic() - begun < 0.5
    until(lambda: not any(each.name == "wake" for each in threading.enumerate()))
    encoders.wake()
    until(lambda: not any(each.name == "wake" for each in threading.enumerate()))


def test_a_memory_bell_that_is_down_says_so() -> None:
    memory = MemoryEncoders()
    memory.is_down = True
    with pytest.raises(errors.BackendUnavailable):
        memory.wake()
