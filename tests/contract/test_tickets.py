"""Tickets: Celery's messages, pushed by the scripts that queue jobs, one for each job that waits; Redis and memory where both have them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import redis
from kombu import pools

from backend.adapters.celery_encoders import celery_app
from backend.adapters.redis.client import KEY_PREFIX
from backend.adapters.redis.ticket import ID, QUEUE, TASK, ticket
from backend.core.job import cancelled
from tests.contract.live import LEASE_S, NO_TIME_S, Live, claim, found, queued
from tests.fakes.samples import job
from tests.support.redis_server import RedisServer

TICKETS = KEY_PREFIX + QUEUE


@pytest.fixture
def client(redis_server: RedisServer, connect: Callable[[str], redis.Redis]) -> redis.Redis:
    return connect(redis_server.url)


@pytest.fixture(scope="session", autouse=True)
def kombu_poller(_session_redis: RedisServer) -> None:
    """kombu's poller lives as long as the process: open it before the detectors look."""
    celerys_own(_session_redis.url)


def celerys_own(url: str) -> None:
    """Celery itself sends the message."""
    app = celery_app(url)
    app.send_task(TASK, queue=QUEUE, retry=False)
    pools.reset()
    app.close()


def ids(client: redis.Redis) -> list[str]:
    return [json.loads(text)["headers"]["id"] for text in client.lrange(TICKETS, 0, -1)]


def test_a_ticket_is_the_message_that_celery_itself_would_send(client: redis.Redis, redis_server: RedisServer) -> None:
    celerys_own(redis_server.url)
    theirs, ours = json.loads(client.lpop(TICKETS)), json.loads(ticket())
    own_values = {"protocol", "id", "root_id", "origin", "correlation_id", "reply_to", "delivery_tag"}

    def alike(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
        assert {name: value for name, value in theirs.items() if name in ours and name not in own_values} == {
            name: value for name, value in ours.items() if name not in own_values
        }

    alike(ours.pop("headers"), theirs.pop("headers"))
    alike(ours.pop("properties"), theirs.pop("properties"))
    assert ours == theirs


def test_a_message_is_json_and_carries_nothing_of_the_job(redis_live: Live, client: redis.Redis) -> None:
    made = queued(redis_live)
    text = client.lpop(TICKETS)
    message = json.loads(text)
    assert message["content-type"] == "application/json"
    assert message["headers"]["task"] == TASK
    assert (message["headers"]["argsrepr"], message["headers"]["kwargsrepr"]) == ("()", "{}")
    assert made.id not in text and ID not in text
    assert message["headers"]["id"] == message["properties"]["delivery_tag"] == message["properties"]["correlation_id"]


def test_each_job_that_is_queued_has_a_ticket_with_an_id_of_its_own(redis_live: Live, client: redis.Redis) -> None:
    for _ in range(3):
        queued(redis_live)
    redis_live.queue.submit(job(), limit=None)
    reserved = job()
    redis_live.fetch_leases.reserve(reserved, "token", LEASE_S, limit=None)
    assert len(set(ids(client))) == 4, "a job whose source is still to come waits for that and not for an encoder"
    redis_live.fetch_leases.attach_source(reserved)
    assert len(set(ids(client))) == 5


def test_a_job_that_is_known_has_its_ticket_already(redis_live: Live, client: redis.Redis) -> None:
    made = queued(redis_live)
    redis_live.queue.enqueue(made, limit=None)
    redis_live.queue.submit(made, limit=None)
    redis_live.fetch_leases.attach_source(made)
    assert len(ids(client)) == 1


def test_a_job_that_is_queued_again_has_a_ticket_again_and_so_have_its_followers(redis_live: Live, client: redis.Redis) -> None:
    leader, follower = queued(redis_live, work_key="same work"), queued(redis_live, work_key="same work")
    claim(redis_live, lease_s=NO_TIME_S)
    assert redis_live.queue.take("token-2", LEASE_S) is None
    client.delete(TICKETS)
    redis_live.queue.requeue(leader.id)
    assert found(redis_live, follower.id).status.state == "queued"
    assert len(ids(client)) == 2


def test_the_ticket_of_a_job_that_was_cancelled_serves_another(redis_live: Live, client: redis.Redis) -> None:
    for _ in range(50):
        made = queued(redis_live)
        redis_live.jobs.end(made.at(cancelled(made.status, 1.0)))
    assert len(ids(client)) == 1, "they do not pile up where no encoder takes them"
    queued(redis_live)
    assert len(ids(client)) == 1
    queued(redis_live)
    assert len(ids(client)) == 2


def test_a_ticket_that_an_encoder_holds_already_is_not_counted_on(redis_live: Live, client: redis.Redis) -> None:
    queued(redis_live)
    client.rpop(TICKETS)
    queued(redis_live)
    queued(redis_live)
    assert len(ids(client)) == 2


def test_tickets_that_were_lost_are_topped_up(redis_live: Live, client: redis.Redis) -> None:
    for _ in range(5):
        queued(redis_live)
    client.ltrim(TICKETS, 0, 1)
    assert redis_live.queue.top_up_tickets() == 3
    assert len(set(ids(client))) == 5
    assert redis_live.queue.top_up_tickets() == 0
