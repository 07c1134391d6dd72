"""The pool of connections to Redis: bounded, fair to those who wait, and small again after a burst."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest
import redis

from backend.adapters.redis import connection_pool
from backend.adapters.redis.client import connect
from backend.adapters.redis.connection_pool import MAX_CONNECTIONS, BoundedPool
from tests.support.redis_server import RedisServer


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[redis.Redis]:
    """It waits for long, so that a busy machine fails no test."""
    with connect(redis_server.url, timeout_s=30.0) as client:
        yield client


def opened(client: redis.Redis) -> int:
    pool = client.connection_pool
    assert isinstance(pool, BoundedPool)
    return len(pool._get_free_connections()) + len(pool._get_in_use_connections())


def burst(client: redis.Redis, calls: int) -> list[object]:
    """What so many calls at once answered or raised."""
    said: list[object] = []

    def call() -> None:
        try:
            said.append(client.eval("local n = 0 for i = 1, 20000 do n = n + i end return n", 0))
        except redis.RedisError as error:
            said.append(error)

    threads = [threading.Thread(target=call) for _ in range(calls)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return said


def test_three_hundred_calls_at_once_share_the_connections_and_all_are_answered(client: redis.Redis) -> None:
    assert set(burst(client, 300)) == {200010000}
    assert 1 <= opened(client) <= MAX_CONNECTIONS


def test_after_a_burst_the_connections_are_closed_that_nobody_needs(client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    burst(client, 300)
    monkeypatch.setattr(connection_pool, "IDLE_S", 0.0)
    client.ping()
    assert opened(client) <= 1
    assert client.ping() and opened(client) <= 1


def test_who_gets_no_connection_in_time_is_told(redis_server: RedisServer) -> None:
    with connect(redis_server.url, timeout_s=0.05) as client:
        pool = client.connection_pool
        held = [pool.get_connection() for _ in range(MAX_CONNECTIONS)]
        begun = time.monotonic()
        with pytest.raises(redis.ConnectionError, match="became free"):
            client.ping()
        assert time.monotonic() - begun < 10
        for each in held:
            pool.release(each)
        assert client.ping()


def test_a_connection_that_fails_gives_its_place_back(redis_server: RedisServer) -> None:
    with connect("unix:///no/such/socket") as client:
        for _ in range(2 * MAX_CONNECTIONS):
            with pytest.raises(redis.ConnectionError):
                client.ping()


def test_a_child_begins_with_connections_of_its_own(client: redis.Redis) -> None:
    held = client.connection_pool.get_connection()
    child = os.fork()
    if child == 0:
        os._exit(0 if client.ping() and opened(client) == 1 else 1)
    assert os.waitpid(child, 0)[1] == 0
    client.connection_pool.release(held)
    assert client.ping() and opened(client) == 1
