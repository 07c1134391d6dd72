"""The contract of ``Bell``, on a real Redis: an encoder that rests is rung once for each job, and nobody else is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import count

import pytest
import redis

from backend import errors
from backend.adapters.redis.client import KEY_PREFIX
from backend.adapters.redis.queue import RedisJobQueue
from backend.adapters.redis.scripts import Scripts
from backend.adapters.redis_bell import MESSAGES_AN_ENCODER, MESSAGES_BESIDE, RedisBell
from backend.ports.queue import Claim
from tests.memory.samples import job
from tests.ports.redis_server import RedisServer

AT_ONCE_S = 0.05
MESSAGES = "messages"


@pytest.fixture
def client(redis_server: RedisServer, connect: Callable[[str], redis.Redis]) -> redis.Redis:
    return connect(redis_server.url)


@pytest.fixture
def bell(client: redis.Redis) -> RedisBell:
    return RedisBell(Scripts(client, KEY_PREFIX), messages=MESSAGES)


def test_one_that_rests_is_rung_and_no_message_is_wanted(bell: RedisBell, client: redis.Redis) -> None:
    bell.rest("ada", 30)
    assert bell.ring(1) == 0
    assert is_rung(client, "ada", 30)
    assert bell.rise("ada") == 0


def test_whoever_is_rung_has_the_job_with_the_stroke(bell: RedisBell, client: redis.Redis) -> None:
    jobs, made = RedisJobQueue(Scripts(client, KEY_PREFIX), messages=MESSAGES), job()
    bell.rest("ada", 30)
    said: list[tuple[bool, Claim | None]] = []
    waiting = threading.Thread(target=lambda: said.append(jobs.take_at_bell("token", 30, "ada", 30)))
    waiting.start()
    while not client.info("clients")["blocked_clients"]:
        time.sleep(0.01)
    submitted = jobs.submit(made, limit=None)
    waiting.join()
    assert submitted is not None and (submitted.is_heard, submitted.job.status.state) == (True, "queued")
    is_rung_for, claim = said[0]
    assert is_rung_for and claim is not None and (claim.job.id, claim.token, claim.job.status.state) == (made.id, "token", "running")
    assert bell.rise("ada") == 0 and jobs.depth() == 0


def test_a_job_that_waits_is_found_at_the_bell_without_a_stroke(bell: RedisBell, client: redis.Redis) -> None:
    jobs, made = RedisJobQueue(Scripts(client, KEY_PREFIX), messages=MESSAGES), job()
    jobs.enqueue(made, limit=None)
    client.script_flush()  # as after a restart
    for expected in (made.id, None):
        bell.rest("ada", 30)
        is_rung_for, claim = jobs.take_at_bell("token", 30, "ada", AT_ONCE_S)
        assert not is_rung_for and (claim.job.id if claim else None) == expected


def test_what_the_server_refuses_is_no_stroke(client: redis.Redis) -> None:
    client.set(KEY_PREFIX + "stroke:ada", "no list")
    with pytest.raises(errors.BackendUnavailable):
        is_rung(client, "ada", AT_ONCE_S)


def test_nobody_is_rung_twice(bell: RedisBell) -> None:
    bell.rest("ada", 30)
    assert bell.ring(1) == 0
    assert bell.ring(1) == 1


def test_each_job_rings_another(bell: RedisBell, client: redis.Redis) -> None:
    for name in ("ada", "grace"):
        bell.rest(name, 30)
    assert bell.ring(3) == 1
    assert is_rung(client, "ada", 30) and is_rung(client, "grace", 30)


def test_one_that_rose_is_rung_no_more(bell: RedisBell) -> None:
    bell.rest("ada", 30)
    assert bell.rise("ada") == 0
    assert bell.ring(1) == 1


def test_a_stroke_that_came_as_it_rose_is_told_so_that_another_answers_it(bell: RedisBell, client: redis.Redis) -> None:
    bell.rest("ada", 30)
    bell.ring(1)
    assert bell.rise("ada") == 1
    assert not is_rung(client, "ada", AT_ONCE_S)


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


def test_one_that_was_rung_and_does_not_know_yet_is_rung_no_second_time(bell: RedisBell, client: redis.Redis) -> None:
    bell.rest("ada", 30)
    assert bell.ring(1) == 0
    bell.rest("ada", 30)
    assert bell.ring(1) == 1, "so no stroke is left when it has heard this one"
    assert is_rung(client, "ada", AT_ONCE_S) and not is_rung(client, "ada", AT_ONCE_S)
    assert bell.rise("ada") == 0


@pytest.mark.parametrize("waiting", [0, MESSAGES_BESIDE])
def test_whoever_submits_a_job_rings_in_the_same_breath(bell: RedisBell, client: redis.Redis, waiting: int) -> None:
    jobs = RedisJobQueue(Scripts(client, KEY_PREFIX), messages=MESSAGES)
    bell.rest("ada", 30)
    assert heard(jobs), "by ada"
    assert is_rung(client, "ada", 30)
    if waiting:
        client.rpush(KEY_PREFIX + MESSAGES, *(["one that somebody will take"] * waiting))
    assert heard(jobs) == bool(waiting)


def test_a_job_that_is_known_rings_nobody(bell: RedisBell, client: redis.Redis) -> None:
    jobs, known = RedisJobQueue(Scripts(client, KEY_PREFIX), messages=MESSAGES), job()
    jobs.enqueue(known, limit=None)
    bell.rest("ada", 30)
    submitted = jobs.submit(known, limit=None)
    assert submitted is not None and not submitted.is_heard
    assert not is_rung(client, "ada", AT_ONCE_S)


def is_rung(client: redis.Redis, name: str, seconds: float) -> bool:
    return RedisJobQueue(Scripts(client, KEY_PREFIX), messages=MESSAGES).take_at_bell("token", 30, name, seconds)[0]


def heard(jobs: RedisJobQueue) -> bool:
    submitted = jobs.submit(job(), limit=None)
    assert submitted is not None
    return submitted.is_heard


def test_an_unreachable_bell_is_named(connect: Callable[[str], redis.Redis], tmp_path: str) -> None:
    client = connect(f"unix://{tmp_path}/nothing.sock")
    bell = RedisBell(Scripts(client, KEY_PREFIX), messages=MESSAGES)
    for call in (lambda: is_rung(client, "ada", AT_ONCE_S), lambda: bell.ring(1), lambda: bell.rest("ada", 1), lambda: bell.rise("ada")):
        with pytest.raises(errors.BackendUnavailable):
            call()


def test_names_share_nothing(bell: RedisBell) -> None:
    names = [f"encoder-{number}" for number, _ in zip(count(), range(3), strict=False)]
    for name in names:
        bell.rest(name, 30)
    bell.ring(2)
    assert sorted(bell.rise(name) for name in names) == [0, 1, 1]
