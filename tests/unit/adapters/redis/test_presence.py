"""Heartbeats in Redis, whatever the hosts' clocks say, and beside processes of the release before."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
import redis

from backend.adapters.redis.client import KEY_PREFIX
from backend.adapters.redis.live_state import live_state
from tests.contract.live import Live
from tests.fakes.waiting import until
from tests.support.redis_server import RedisServer

Connect = Callable[[str], redis.Redis]
KEY = KEY_PREFIX + "encoders"
FACTS = {"host": "old", "pid": 1}


@pytest.fixture
def client(redis_server: RedisServer, connect: Connect) -> redis.Redis:
    return connect(redis_server.url)


def beat_as_the_release_before(client: redis.Redis, clock_s: float, name: str) -> None:
    client.hset(KEY, name, json.dumps({"until": clock_s + 3, "facts": FACTS}, separators=(",", ":")))


def encoders_for_the_release_before(client: redis.Redis) -> list[object]:
    """What its own reader makes of the entries, by a clock that is right."""
    known = [json.loads(text) for text in client.hvals(KEY)]
    return [each["facts"] for each in known if each["until"] >= time.time()]


@pytest.mark.parametrize("wrong_s", [-10, 10, -86_400])
def test_an_encoder_on_a_host_whose_clock_is_wrong_is_there(redis_live: Live, monkeypatch: pytest.MonkeyPatch, wrong_s: float) -> None:
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + wrong_s)
    redis_live.presence.heartbeat("a", {"pid": 1}, 3)
    monkeypatch.undo()
    assert redis_live.presence.encoders() == [{"pid": 1}] == list(redis_live.counters.overview().encoders)
    monkeypatch.setattr(time, "time", lambda: right() + wrong_s)
    assert redis_live.presence.encoders() == [{"pid": 1}] == list(redis_live.counters.overview().encoders)


def test_encoders_of_the_release_before_are_there_while_they_beat_and_no_longer(redis_live: Live, client: redis.Redis) -> None:
    wrong = {f"old{shift_s}": shift_s for shift_s in (-25, -10, 0, 10, 3600)}
    for _ in range(18):
        for name, shift_s in wrong.items():
            beat_as_the_release_before(client, time.time() + shift_s, name)
        redis_live.presence.heartbeat("new", {"pid": 2}, 60)
        assert redis_live.presence.encoders().count(FACTS) == redis_live.counters.overview().encoders.count(FACTS) == len(wrong)
        time.sleep(0.2)

    def is_gone() -> bool:
        redis_live.presence.announce("gateway", {}, 60)
        return redis_live.presence.encoders() == [{"pid": 2}]

    assert until(is_gone, 6)
    assert client.hkeys(KEY) == ["new"] and client.hlen(KEY_PREFIX + "encoders:seen") == 0


def test_the_release_before_reads_our_heartbeats(redis_live: Live, client: redis.Redis) -> None:
    redis_live.presence.heartbeat("a", {"pid": 1}, 3)
    redis_live.presence.heartbeat("b", {"pid": 2}, -3)
    assert encoders_for_the_release_before(client) == [{"pid": 1}]


def test_processes_that_fell_silent_leave_nothing(redis_live: Live, client: redis.Redis) -> None:
    redis_live.counters.add({"encoder_cpu_s:gone": 2.5, "encoder_cpu_s:here": 1.5})
    redis_live.presence.heartbeat("gone", {"host": "gone"}, 0.01)
    redis_live.presence.announce("gone too", {"host": "gone"}, 0.01)

    def names() -> set[str]:
        redis_live.presence.heartbeat("here", {"host": "here"}, 60)
        return {*client.hkeys(KEY), *client.hkeys(KEY_PREFIX + "gateways")}

    assert until(lambda: names() == {"here"})
    assert redis_live.counters.overview().totals == {"encoder_cpu_s:here": 1.5}


def test_an_encoder_is_there_while_redis_is_full(own_redis: RedisServer, connect: Connect) -> None:
    client = connect(own_redis.url)
    live = Live(**live_state(client))
    live.presence.heartbeat("a", {"pid": 1}, 60)
    client.config_set("maxmemory", 1)
    live.presence.heartbeat("a", {"pid": 2}, 60)
    assert live.presence.encoders() == [{"pid": 2}]


def test_an_empty_list_in_a_fact_stays_a_list(redis_live: Live) -> None:
    redis_live.presence.heartbeat("a", {"seal": {"escapes": []}}, 60)
    assert redis_live.presence.encoders() == [{"seal": {"escapes": []}}]


def test_a_socket_file_has_no_address_for_others(redis_live: Live) -> None:
    assert redis_live.presence.own_address() is None


def test_what_an_encoder_of_the_release_before_left_long_ago_is_no_encoder(redis_live: Live, client: redis.Redis) -> None:
    """Nobody was there to remove it, and the next process to start must not be refused because of it."""
    beat_as_the_release_before(client, time.time() - 60, "ended")
    assert redis_live.presence.encoders() == []
