"""The contract of ``Bell``, on a real Redis: an encoder that rests is rung once for each job, and nobody else is."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
import redis

from backend import errors
from backend.adapters.redis_bell import MESSAGES_AN_ENCODER, MESSAGES_BESIDE, RedisBell
from backend.adapters.redis_client import KEY_PREFIX
from backend.adapters.redis_jobs import RedisJobs
from tests.memory.samples import job
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


def test_no_more_messages_are_wanted_than_can_tell_anybody_anything(bell: RedisBell, client: redis.Redis) -> None:
    assert bell.ring(99) == MESSAGES_BESIDE
    client.hset(KEY_PREFIX + "encoders", "ada", "its greeting")
    most = MESSAGES_BESIDE + MESSAGES_AN_ENCODER
    assert bell.ring(99) == most
    client.rpush(KEY_PREFIX + MESSAGES, *(["one that nobody has taken yet"] * (most - 1)))
    assert bell.ring(99) == 1
    client.rpush(KEY_PREFIX + MESSAGES, "another")
    assert bell.ring(99) == 0


def test_one_that_was_rung_and_does_not_know_yet_is_rung_no_second_time(bell: RedisBell) -> None:
    bell.rest("ada", 30)
    assert bell.ring(1) == 0
    bell.rest("ada", 30)
    assert bell.ring(1) == 1, "so no stroke is left when it has heard this one"
    assert bell.wait("ada", AT_ONCE_S) and not bell.wait("ada", AT_ONCE_S)
    assert bell.rise("ada") == 0


@pytest.mark.parametrize("waiting", [0, MESSAGES_BESIDE])
def test_whoever_submits_a_job_rings_in_the_same_breath(bell: RedisBell, client: redis.Redis, waiting: int) -> None:
    jobs = RedisJobs(client, messages=MESSAGES)
    bell.rest("ada", 30)
    assert heard(jobs), "by ada"
    assert bell.wait("ada", 30)
    if waiting:
        client.rpush(KEY_PREFIX + MESSAGES, *(["one that somebody will take"] * waiting))
    assert heard(jobs) == bool(waiting)


def test_a_job_that_is_known_rings_nobody(bell: RedisBell, client: redis.Redis) -> None:
    jobs, known = RedisJobs(client, messages=MESSAGES), job()
    jobs.enqueue(known, limit=None)
    bell.rest("ada", 30)
    submitted = jobs.submit(known, limit=None)
    assert submitted is not None and not submitted.is_heard
    assert not bell.wait("ada", AT_ONCE_S)


def heard(jobs: RedisJobs) -> bool:
    submitted = jobs.submit(job(), limit=None)
    assert submitted is not None
    return submitted.is_heard


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
