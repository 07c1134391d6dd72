"""The contract of ``Bell``, on a real Redis: an encoder that rests is rung once for each job, and nobody else is."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
import redis

from backend import errors
from backend.adapters.redis_bell import RedisBell
from backend.adapters.redis_client import KEY_PREFIX
from tests.ports.redis_server import RedisServer

AT_ONCE_S = 0.05
MESSAGES = "messages"


@pytest.fixture
def client(redis_server: RedisServer, connect: Callable[[str], redis.Redis]) -> redis.Redis:
    return connect(redis_server.url)


@pytest.fixture
def bell(client: redis.Redis) -> RedisBell:
    return RedisBell(client, messages=MESSAGES)


def test_one_that_rests_is_rung_and_no_message_is_wanted(bell: RedisBell) -> None:
    bell.rest("ada", 30)
    assert bell.ring(1) == 0
    assert bell.wait("ada", 30)
    assert bell.rise("ada") == 0


def test_nobody_is_rung_twice(bell: RedisBell) -> None:
    bell.rest("ada", 30)
    assert bell.ring(1) == 0
    assert bell.ring(1) == 1


def test_each_job_rings_another(bell: RedisBell) -> None:
    for name in ("ada", "grace"):
        bell.rest(name, 30)
    assert bell.ring(3) == 1
    assert bell.wait("ada", 30) and bell.wait("grace", 30)


def test_one_that_rose_is_rung_no_more(bell: RedisBell) -> None:
    bell.rest("ada", 30)
    assert bell.rise("ada") == 0
    assert bell.ring(1) == 1


def test_a_stroke_that_came_as_it_rose_is_told_so_that_another_answers_it(bell: RedisBell) -> None:
    bell.rest("ada", 30)
    bell.ring(1)
    assert bell.rise("ada") == 1
    assert not bell.wait("ada", AT_ONCE_S)


def test_one_that_said_nothing_for_too_long_is_not_relied_on(bell: RedisBell, client: redis.Redis) -> None:
    bell.rest("ada", -60)
    assert bell.ring(1) == 1
    assert client.zcard(KEY_PREFIX + "resting") == 0, "one that was killed as it rested leaves nothing"


def test_no_more_messages_are_wanted_than_can_tell_anybody_anything(client: redis.Redis) -> None:
    bell = RedisBell(client, messages=MESSAGES, most_messages=2)
    assert bell.ring(5) == 2
    client.rpush(KEY_PREFIX + MESSAGES, "one that nobody has taken yet")
    assert bell.ring(5) == 1
    client.rpush(KEY_PREFIX + MESSAGES, "another")
    assert bell.ring(5) == 0


def test_an_unreachable_bell_is_named(connect: Callable[[str], redis.Redis], tmp_path: str) -> None:
    bell = RedisBell(connect(f"unix://{tmp_path}/nothing.sock"), messages=MESSAGES)
    for call in (lambda: bell.ring(1), lambda: bell.rest("ada", 1), lambda: bell.wait("ada", AT_ONCE_S), lambda: bell.rise("ada")):
        with pytest.raises(errors.BackendUnavailable):
            call()


def test_names_share_nothing(bell: RedisBell) -> None:
    names = [f"encoder-{number}" for number, _ in zip(count(), range(3), strict=False)]
    for name in names:
        bell.rest(name, 30)
    bell.ring(2)
    assert sorted(bell.rise(name) for name in names) == [0, 1, 1]
