"""The contract of ``Announcements``: Redis with its listener thread, and memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
import redis

from backend.adapters.redis.client import KEY_PREFIX
from backend.adapters.redis.live_state import live_state as redis_live_state
from backend.adapters.redis.pubsub import RedisAnnouncements
from backend.core.job import Job, Status
from backend.ports.announcements import Announcements
from backend.ports.leases import ReportAck
from tests.contract.live import LEASE_S, Live
from tests.fakes.announcements import MemoryAnnouncements
from tests.fakes.live_state import live_state as memory_live_state
from tests.fakes.samples import job
from tests.fakes.server import MemoryServer
from tests.fakes.waiting import until
from tests.support.redis_server import RedisServer

Connect = Callable[[str], redis.Redis]


@dataclass
class Ear:
    """What one process hears."""

    live: Live
    announcements: Announcements = field(init=False)
    heard: list[tuple[str, str]] = field(default_factory=list)
    gaps: int = 0
    words: list[tuple[str, str, str]] = field(default_factory=list)
    on_change: Callable[[str], object] = lambda job_id: None

    def changed(self, job_id: str, text: str) -> None:
        self.heard.append((job_id, text))
        self.on_change(job_id)

    def hear(self, what: str, name: str, text: str) -> None:
        self.words.append((what, name, text))

    def gap(self) -> None:
        self.gaps += 1

    def seqs(self, made: Job) -> list[int]:
        return [Status.from_json(text).seq for job_id, text in self.heard if job_id == made.id and text]


class EndingAnnouncements(RedisAnnouncements):
    """The product's listener never ends; a test's does, at its next message."""

    def _listen_for_ever(self) -> None:
        with suppress(SystemExit):
            super()._listen_for_ever()

    def end(self, server: RedisServer, client: redis.Redis, *others: EndingAnnouncements) -> None:
        def stop(*_: object) -> None:
            raise SystemExit

        for one in (self, *others):
            one._handle = one._start_over = stop  # type: ignore[method-assign]
        listeners = [each for each in threading.enumerate() if each.name == "announcements"]
        if server.answers():
            client.publish(self._own, "end")
        for each in listeners:
            each.join(10)
            assert not each.is_alive()
        for one in (self, *others):
            one._pubsub.close()


def over_redis(server: RedisServer, connect: Connect) -> tuple[Ear, EndingAnnouncements]:
    ear = Ear(Live(**redis_live_state(connect(server.url))))
    ear.announcements = announcements = EndingAnnouncements(connect(server.url), on_change=ear.changed, on_gap=ear.gap, on_message=ear.hear)
    return ear, announcements


@pytest.fixture(params=["redis", "memory"])
def ear(request: pytest.FixtureRequest, redis_server: RedisServer, connect: Connect) -> Iterator[Ear]:
    if request.param == "memory":
        server = MemoryServer()
        ear = Ear(Live(**memory_live_state(server)))
        ear.announcements = MemoryAnnouncements(server, ear.changed, ear.hear)
        yield ear
    else:
        ear, announcements = over_redis(redis_server, connect)
        yield ear
        announcements.end(redis_server, connect(redis_server.url))


def test_every_change_after_listening_is_announced_in_order(ear: Ear) -> None:
    made = job()
    ear.live.queue.enqueue(made, limit=None)
    ear.announcements.subscribe(made.id)
    ear.live.queue.take("token", LEASE_S)
    for percent in range(50):
        ear.live.leases.report(made.id, "token", {"stage": "encode", "progress": percent}, LEASE_S)
    ear.live.jobs.end(made.at(Status(state="cancelled")))
    until(lambda: len(ear.heard) == 52)
    assert ear.seqs(made) == list(range(2, 54))
    assert Status.from_json(ear.heard[-1][1]).state == "cancelled"


def test_what_is_announced_is_what_the_log_holds(ear: Ear) -> None:
    made = job()
    ear.announcements.subscribe(made.id)
    ear.live.queue.enqueue(made, limit=None)
    ear.live.queue.take("token", LEASE_S)
    until(lambda: len(ear.heard) == 2)
    assert [Status.from_json(text) for _, text in ear.heard] == ear.live.jobs.changes_since(made.id, 0)


def test_jobs_that_nobody_listens_to_are_not_announced(ear: Ear) -> None:
    watched, other = job(), job()
    ear.announcements.subscribe(watched.id)
    ear.live.queue.enqueue(other, limit=None)
    ear.live.queue.enqueue(watched, limit=None)
    until(lambda: ear.heard)
    assert {job_id for job_id, _ in ear.heard} == {watched.id}


def test_an_ignored_job_is_no_longer_announced_and_may_be_listened_to_again(ear: Ear) -> None:
    made, other = job(), job()
    ear.announcements.subscribe(made.id)
    ear.announcements.subscribe(made.id)
    ear.announcements.unsubscribe(made.id)
    ear.announcements.unsubscribe(made.id)
    ear.live.queue.enqueue(made, limit=None)
    ear.announcements.subscribe(other.id)
    ear.live.queue.enqueue(other, limit=None)
    until(lambda: ear.heard)
    assert {job_id for job_id, _ in ear.heard} == {other.id}
    ear.announcements.subscribe(made.id)
    ear.live.queue.take("token", LEASE_S)
    until(lambda: ear.seqs(made) == [2])


def test_what_comes_late_of_an_ignored_job_does_not_disturb_who_listens_again(ear: Ear) -> None:
    """A job's end makes its hearer ignore it: one that is on its way while somebody listens anew must not be taken for his."""
    made = job()
    ear.live.queue.enqueue(made, limit=None)
    ear.live.queue.take("token", LEASE_S)
    ear.on_change = ear.announcements.unsubscribe
    for percent in range(1, 31):
        ear.announcements.subscribe(made.id)
        ear.announcements.unsubscribe(made.id)
        ear.live.leases.report(made.id, "token", {"progress": percent}, LEASE_S)
        ear.announcements.subscribe(made.id)
        ear.announcements.unsubscribe(made.id)


def test_renewing_a_lease_announces_nothing(ear: Ear) -> None:
    made = job()
    ear.live.queue.enqueue(made, limit=None)
    ear.live.queue.take("token", LEASE_S)
    ear.announcements.subscribe(made.id)
    ear.live.leases.report(made.id, "token", {}, LEASE_S)
    ear.live.leases.report(made.id, "token", {"progress": 5}, LEASE_S)
    until(lambda: ear.heard)
    assert ear.seqs(made) == [3]


def test_whoever_waits_for_an_end_hears_of_that_and_of_nothing_else(ear: Ear) -> None:
    first, erased, other = job(), job(), job()
    for each in (first, erased, other):
        ear.live.queue.enqueue(each, limit=None)
    for each in (first, erased):
        ear.announcements.subscribe(each.id, "ended")
    ear.live.queue.take("token", LEASE_S)
    for percent in range(1, 10):
        assert ear.live.leases.report(first.id, "token", {"progress": percent}, LEASE_S) == ReportAck(percent + 2, 0), "nobody listens to that"
    ear.live.jobs.end(first.at(Status(state="cancelled")))
    ear.live.jobs.forget(erased.id)
    ear.live.jobs.forget(other.id)
    until(lambda: len(ear.words) == 2)
    ends = {(what, name): text for what, name, text in ear.words}
    assert set(ends) == {("ended", first.id), ("ended", erased.id)}
    assert Status.from_json(ends["ended", first.id]).state == "cancelled"
    assert ends["ended", erased.id] == ""
    assert ear.heard == []


def test_a_report_says_how_many_heard_of_it(ear: Ear) -> None:
    made = job()
    ear.live.queue.enqueue(made, limit=None)
    ear.live.queue.take("token", LEASE_S)
    assert ear.live.leases.report(made.id, "token", {"progress": 1}, LEASE_S) == ReportAck(3, 0)
    ear.announcements.subscribe(made.id)
    assert ear.live.leases.report(made.id, "token", {"progress": 2}, LEASE_S) == ReportAck(4, 1)
    assert ear.live.leases.report(made.id, "token", {}, LEASE_S) == ReportAck(4, 0)


def test_an_erased_job_is_announced_without_a_text(ear: Ear) -> None:
    made = job()
    ear.live.queue.enqueue(made, limit=None)
    ear.announcements.subscribe(made.id)
    ear.live.jobs.forget(made.id)
    until(lambda: ear.heard == [(made.id, "")])


def test_what_is_ignored_is_unsubscribed_when_something_else_is_heard(redis_server: RedisServer, connect: Connect) -> None:
    ear, announcements = over_redis(redis_server, connect)
    client, heard, ignored = connect(redis_server.url), job(), job()
    for each in (heard, ignored):
        ear.announcements.subscribe(each.id)
    channels = [f"{KEY_PREFIX}changed:{each.id}" for each in (heard, ignored)]
    assert [count for _, count in client.pubsub_numsub(*channels)] == [1, 1]
    ear.announcements.unsubscribe(ignored.id)

    def only_one_is_left() -> bool:
        client.publish(channels[0], "")
        return [count for _, count in client.pubsub_numsub(*channels)] == [1, 0]

    until(only_one_is_left)
    announcements.end(redis_server, client)


def test_the_listener_does_not_keep_a_process_alive(redis_server: RedisServer, connect: Connect) -> None:
    ear, announcements = over_redis(redis_server, connect)
    ear.announcements.subscribe("some-job")
    assert [each.daemon for each in threading.enumerate() if each.name == "announcements"] == [True]
    announcements.end(redis_server, connect(redis_server.url))


def test_after_the_server_was_killed_and_came_back_the_gap_is_told_and_changes_are_heard_again(own_redis: RedisServer, connect: Connect) -> None:
    ear, announcements = over_redis(own_redis, connect)
    made = job()
    ear.announcements.subscribe(made.id)
    assert ear.gaps == 0
    own_redis.kill()
    own_redis.start()
    until(lambda: ear.gaps == 1, 15)
    ear.live.queue.enqueue(made, limit=None)
    until(lambda: ear.seqs(made) == [1])
    announcements.end(own_redis, connect(own_redis.url))


def test_a_connection_that_is_cut_while_the_server_lives_is_a_gap_too(redis_server: RedisServer, connect: Connect) -> None:
    """redis-py connects and subscribes again by itself, in silence; what was published between is lost all the same."""
    ear, announcements = over_redis(redis_server, connect)
    made = job()
    ear.announcements.subscribe(made.id)
    connect(redis_server.url).client_kill_filter(_type="pubsub")
    until(lambda: ear.gaps == 1, 10)
    ear.live.queue.enqueue(made, limit=None)
    until(lambda: ear.seqs(made) == [1])
    announcements.end(redis_server, connect(redis_server.url))
