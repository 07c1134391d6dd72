"""Keys that Redis evicted, or somebody deleted: each pattern that the internals name, and several at once. No job is lost or given out twice."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from backend.adapters.redis.client import KEY_PREFIX
from backend.adapters.redis.live_state import live_state
from backend.core.job import Job
from backend.core.options import Options
from backend.flows import ingest
from backend.flows.context import Context
from backend.flows.maintenance import LEAST_RESCAN_S, Janitor
from backend.flows.mend import LEAST_EVERY_S
from backend.flows.take_back import take_back_expired
from backend.ports.delivery_queue import Shares, Waiting
from backend.ports.job_records import ManyRead
from backend.ports.queue import Claim
from tests.fakes.clock import ShiftedClock
from tests.fakes.samples import READER, image, next_id
from tests.fakes.store import MemoryStore
from tests.fakes.waiting import until
from tests.support.redis_server import RedisServer

TABLE = Path(__file__).resolve().parents[4] / "docs" / "internals" / "shares.md"
FIRST_CELL = re.compile(r"(?m)^\| (`[^|]+`) \|")
PATTERNS = [re.sub(r"<[^>]*>", "*", key) for cell in FIRST_CELL.findall(TABLE.read_text("utf-8")) for key in re.findall(r"`([^`]+)`", cell)]
JOBS, RUNNING = 40, 3


class World:
    """A gateway's flows over a real Redis, with encoders that hold jobs and report, and a Janitor."""

    def __init__(self, client: redis.Redis) -> None:
        self.client, self.clock = client, ShiftedClock()
        self.store = MemoryStore(self.clock)
        ports = {"store": self.store, **live_state(client), "clock": self.clock, "new_id": next_id, "receiver": READER}
        self.context = Context(**ports, shares_results=False)
        self.janitor = Janitor(self.context, "me")
        self.jobs = [self.upload(number) for number in range(JOBS)]
        self.claims = [self.take() for _ in range(RUNNING)]
        self.janitor.maintain()

    def upload(self, number: int) -> Job:
        intake = ingest.Intake(self.context, "cat.png")
        intake.feed(image())
        sender = ingest.Sender(client=f"client-{number % 4}", line=f"line-{number % 3}", maker=f"maker-{number % 4}")
        return ingest.accept(self.context, intake.finish(), Options(), sender)

    def take(self, lease_s: float = 60.0) -> Claim:
        claim = self.context.queue.take(next_id(), lease_s)
        assert claim is not None
        return claim

    def delete(self, *patterns: str) -> int:
        found = [key for each in patterns for key in self.client.scan_iter(KEY_PREFIX.replace("{", r"\{") + each)]
        return int(self.client.delete(*found)) if found else 0

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        for each in self.claims:
            if self.context.leases.report(each.job.id, each.token, {}, 60.0) is None:
                assert self.context.leases.readopt(each, 60.0)
        self.janitor.maintain()

    def is_whole(self) -> bool:
        """Whether each job is where a client expects it. Each try looks as the next round does."""
        self.pass_time(LEAST_EVERY_S)
        waiting = [each for each in self.jobs if each.id not in {claim.job.id for claim in self.claims}]
        states = {each.id: known.status.state for each in self.jobs if (known := self.context.jobs.find(each.id))}
        is_known = all(states.get(each.id) == "queued" for each in waiting) and all(states.get(each.job.id) == "running" for each in self.claims)
        return is_known and self.context.queue.depth() == len(waiting) and self.context.leases.count() == RUNNING

    def given_out(self) -> list[str]:
        given = []
        while claim := self.context.queue.take(next_id(), 60.0):
            given.append(claim.job.id)
        return given

    def check(self) -> None:
        until(self.is_whole, 10)
        expected = {each.id for each in self.jobs} - {each.job.id for each in self.claims}
        assert sorted(self.given_out()) == sorted(expected)


@pytest.fixture
def world(redis_server: RedisServer, connect: Callable[[str], redis.Redis]) -> World:
    return World(connect(redis_server.url))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_whichever_keys_are_lost_no_job_is(world: World, pattern: str) -> None:
    world.delete(pattern)
    world.check()


@pytest.mark.parametrize("seed", range(12))
def test_whichever_keys_are_lost_together_no_job_is(world: World, seed: int) -> None:
    chosen = random.Random(seed)
    keys = sorted(world.client.scan_iter())
    world.client.delete(*chosen.sample(keys, chosen.randrange(1, len(keys) + 1)))
    world.check()


def test_a_list_is_whole_again_after_its_keys_were_lost(world: World) -> None:
    assert world.delete("listed:*", "listers", "expiry") > 0
    world.check()
    listed = world.context.index.entries("maker-1", None, 100)
    assert len(listed) == JOBS / 4
    assert world.context.index.expired(world.clock() + 100_000, 100) != []


def test_a_job_that_was_to_be_given_out_without_its_record_comes_back(world: World) -> None:
    lost = world.jobs[-1]
    world.delete(f"job:{lost.id}")
    assert lost.id not in world.given_out()
    world.pass_time(LEAST_EVERY_S)
    assert world.given_out() == [lost.id]


def test_a_job_that_no_key_names_any_more_is_found_by_the_rescan(world: World) -> None:
    lost = world.jobs[-1]
    world.delete(f"job:{lost.id}")
    assert lost.id not in world.given_out()
    world.delete("lost")
    world.clock.advance(LEAST_RESCAN_S + 1)
    world.janitor.maintain()
    assert world.given_out() == [lost.id]


def test_a_running_job_whose_encoder_died_with_its_lease_goes_to_another(world: World) -> None:
    dead = world.claims.pop()
    world.delete("running")
    world.pass_time(LEAST_EVERY_S)
    for each in world.claims:
        world.context.leases.report(each.job.id, each.token, {}, 60.0)

    def is_queued() -> bool:
        world.pass_time(0)
        known = world.context.jobs.find(dead.job.id)
        return known is not None and known.status.state == "queued"

    until(is_queued, 10)
    assert world.given_out()[0] == dead.job.id


def test_the_job_of_an_encoder_that_was_lost_with_its_key_is_queued_again(world: World) -> None:
    dead = world.take(lease_s=0.001)
    world.delete(f"job:{dead.job.id}")
    until(lambda: dead.job.id in world.context.leases.expired(), 5)
    take_back_expired(world.context)
    world.pass_time(0)
    known = world.context.jobs.find(dead.job.id)
    assert known is not None and known.status.state == "queued"


def test_a_job_that_redis_does_not_name_any_more_is_not_forgotten_while_the_store_is_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = world.jobs[-1]
    world.delete(f"job:{lost.id}")
    assert lost.id not in world.given_out()
    with monkeypatch.context() as patch:
        patch.setattr(world.store, "unfinished", lambda ids: ManyRead((), tuple(ids)))
        world.pass_time(LEAST_EVERY_S)
    assert world.given_out() == []
    world.pass_time(1)
    assert world.given_out() == [lost.id]


def test_a_fetch_whose_key_was_lost_is_taken_over_by_nobody_and_is_unknown_still(world: World) -> None:
    job = replace(world.jobs[0], manifest=replace(world.jobs[0].manifest, id=next_id()))
    world.context.fetch_leases.reserve(job, "", 0.0, limit=None)
    world.delete(f"job:{job.id}")
    assert world.context.fetch_leases.take_over(job.id, "mine", 60.0) is None
    assert world.context.jobs.unknown([job.id]) == [job.id]


def test_a_job_that_comes_after_the_counter_was_lost_goes_behind_those_that_wait(world: World) -> None:
    world.delete("queue:serial", "queue:now", "queue:tags")
    world.pass_time(1)
    late = world.upload(0)
    order = world.given_out()
    same_line = [each.id for each in world.jobs if each.manifest.client == late.manifest.client and each.id in order]
    assert order.index(late.id) > max(map(order.index, same_line))


@pytest.mark.parametrize("pattern", [each for each in PATTERNS if each.startswith("webhooks:")])
def test_a_webhook_whose_keys_were_lost_is_sent_once_the_store_is_scanned(world: World, pattern: str) -> None:
    """A scan tells Redis of each delivery that the store has."""
    waiting = Waiting("msg_1", "client-1", "http://a.example", 1.0)
    world.context.deliveries.add([waiting])
    world.delete(pattern)
    world.context.deliveries.add([waiting])
    assert world.context.deliveries.claim(5, 60.0, Shares(5, 5)) == ["msg_1"]
    world.context.deliveries.add([waiting])
    assert world.context.deliveries.claim(5, 60.0, Shares(5, 5)) == [], "it is being sent"


def test_a_reader_of_the_table_finds_the_keys_of_jobs_in_it() -> None:
    assert {"job:*", "queue", "waiting", "running", "fetching", "client:*", "line:*", "own:*", "turns:*", "underway:*", "expiry"} <= {
        re.sub(r"\*.*", "*", each) for each in PATTERNS
    }
