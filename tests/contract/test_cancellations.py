"""Stops over Redis: an encoder hears at once that its job was taken away, by whom- and however; of no other job, and of no end of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from backend.adapters.redis import cancellations as cancellations_module
from backend.adapters.redis.cancellations import RedisCancellations
from backend.adapters.redis.live_state import live_state
from backend.core.job import Status, cancelled, succeeded
from tests.contract.live import LEASE_S, Live, result
from tests.contract.test_announcements import EndingAnnouncements
from tests.fakes.samples import job
from tests.fakes.waiting import until
from tests.support.redis_server import RedisServer

Connect = Callable[[str], redis.Redis]


@pytest.fixture
def make(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[RedisServer], RedisCancellations]]:
    """Listeners that end with the test."""
    monkeypatch.setattr(cancellations_module, "RedisAnnouncements", EndingAnnouncements)
    made: list[tuple[Any, RedisServer]] = []

    def one(server: RedisServer) -> RedisCancellations:
        cancellations = RedisCancellations(connect(server.url))
        made.append((cancellations._announcements, server))
        cancellations.start()
        until(cancellations.is_connected, 5)
        return cancellations

    yield one
    (first, server), *others = made
    first.end(server, connect(server.url), *(each for each, _ in others))


WAYS: dict[str, Callable[[Live, Any], object]] = {
    "cancelled": lambda live, claim: live.jobs.end(claim.job.at(cancelled(claim.job.status, 5.0))),
    "erased": lambda live, claim: live.jobs.forget(claim.job.id),
    "queued again": lambda live, claim: live.queue.requeue(claim.job.id),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_encoder_hears_that_its_job_was_taken_away(
    redis_live: Live, redis_server: RedisServer, make: Callable[[RedisServer], RedisCancellations], way: str
) -> None:
    cancellations, others = make(redis_server), make(redis_server)
    redis_live.queue.enqueue(job(), limit=None)
    token = cancellations.new_token()
    claim = redis_live.queue.take(token, LEASE_S)
    assert claim is not None and not cancellations.is_cancelled(token)
    WAYS[way](redis_live, claim)
    until(lambda: cancellations.is_cancelled(token), 5)
    assert not cancellations.is_cancelled(token), "it is told once"
    assert not others._heard["stopped"]


def test_an_encoder_hears_nothing_of_its_own_ends_nor_of_what_waits_or_is_over(
    redis_live: Live, redis_server: RedisServer, make: Callable[[RedisServer], RedisCancellations]
) -> None:
    cancellations = make(redis_server)
    ended, waiting, last = job(), job(), job()
    redis_live.queue.enqueue(ended, limit=None)
    first = redis_live.queue.take(cancellations.new_token(), LEASE_S)
    assert first is not None
    redis_live.jobs.end(first.job.at(succeeded(first.job.status, result(), 5.0)))
    redis_live.jobs.forget(ended.id)
    redis_live.queue.enqueue(waiting, limit=None)
    redis_live.jobs.end(waiting.at(Status(state="cancelled")))
    redis_live.queue.enqueue(last, limit=None)
    token = cancellations.new_token()
    redis_live.queue.take(token, LEASE_S)
    redis_live.jobs.forget(last.id)
    until(lambda: bool(cancellations._heard["stopped"]), 5)
    assert list(cancellations._heard["stopped"]) == [token]


def test_an_encoder_hears_that_somebody_began_to_watch_its_job_or_one_that_follows_it(
    redis_live: Live, redis_server: RedisServer, make: Callable[[RedisServer], RedisCancellations]
) -> None:
    cancellations = make(redis_server)
    leader, follower, waiting = job(work_key="work"), job(work_key="work"), job()
    for each in (leader, follower):
        redis_live.queue.enqueue(each, limit=None)
    token = cancellations.new_token()
    claim = redis_live.queue.take(token, LEASE_S)
    assert claim is not None and claim.job.id == leader.id and redis_live.queue.take("another-1", LEASE_S) is None
    redis_live.queue.enqueue(waiting, limit=None)
    redis_live.leases.announce_watcher(waiting.id)
    assert not cancellations.is_watched(token)
    for each in (leader, follower):
        redis_live.leases.announce_watcher(each.id)
        until(lambda: cancellations.is_watched(token), 5)
        assert not cancellations.is_watched(token), "it is told once"


def test_what_nobody_asks_for_does_not_pile_up(redis_server: RedisServer, make: Callable[[RedisServer], RedisCancellations]) -> None:
    cancellations = make(redis_server)
    for number in range(200):
        cancellations._remember("stopped", "", f"token-{number}")
    assert len(cancellations._heard["stopped"]) == cancellations_module.MAX_REMEMBERED
    assert cancellations.is_cancelled("token-199") and not cancellations.is_cancelled("token-1")


def test_while_redis_is_away_stops_are_not_heard_and_afterwards_they_are(
    own_redis: RedisServer, connect: Connect, make: Callable[[RedisServer], RedisCancellations]
) -> None:
    cancellations = make(own_redis)
    own_redis.kill()
    until(lambda: not cancellations.is_connected(), 10)
    own_redis.start()
    until(cancellations.is_connected, 10)
    live, token = Live(**live_state(connect(own_redis.url))), cancellations.new_token()
    live.queue.enqueue(made := job(), limit=None)
    assert live.queue.take(token, LEASE_S) is not None
    live.jobs.forget(made.id)
    until(lambda: cancellations.is_cancelled(token), 5)


def test_an_encoder_that_starts_without_redis_hears_as_soon_as_it_is_there(
    own_redis: RedisServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancellations_module, "RedisAnnouncements", EndingAnnouncements)
    own_redis.kill()
    cancellations = RedisCancellations(connect(own_redis.url))
    cancellations.start()
    for each in threading.enumerate():
        if each.name == "listen-for-stops":
            each.join(10)
    assert not cancellations.is_connected()
    own_redis.start()
    until(cancellations.is_connected, 10)
    announcements: Any = cancellations._announcements
    announcements.end(own_redis, connect(own_redis.url))
