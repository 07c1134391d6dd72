"""The contract of ``Counters``, and of what the other ports count on the way: Redis and memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
import redis

from backend import errors
from backend.adapters.redis.client import KEY_PREFIX
from backend.adapters.redis.live_state import live_state as redis_live_state
from backend.core import tally
from backend.core.job import Job, Result, cancelled, failed, succeeded
from tests.contract.live import LEASE_S, Live
from tests.fakes.live_state import live_state as memory_live_state
from tests.fakes.samples import job, source
from tests.fakes.server import MemoryServer
from tests.support.redis_server import RedisServer


def result(size_bytes: int = 480) -> Result:
    return Result("result-token.webp", size_bytes, "cd" * 32, 16, 12, 1, facts={"seconds": {"decode": 0.25, "encode": 1.5}})


def queued(live: Live, **given: object) -> Job:
    return live.queue.enqueue(job(**given), limit=None)


def begun(live: Live, **given: object) -> Job:
    queued(live, **given)
    claim = live.queue.take("token", LEASE_S)
    assert claim is not None
    return claim.job


def done(live: Live, size_bytes: int = 480, **given: object) -> Job:
    each = begun(live, **given)
    assert each.status.started_at is not None
    return live.jobs.end(each.at(succeeded(each.status, result(size_bytes), each.status.started_at + 2)))


def ended(live: Live) -> dict[str, float]:
    return {name.removeprefix("ended:"): amount for name, amount in live.counters.overview().totals.items() if name.startswith("ended:")}


def test_nothing_yet_is_an_overview_of_zeros(live: Live) -> None:
    seen = live.counters.overview()
    assert set(seen.jobs.values()) == {0} and list(seen.jobs) == ["queued", "running", "succeeded", "failed", "cancelled"]
    assert (seen.oldest_queued_s, seen.encoders, seen.totals, seen.per_minute("ended")) == (0.0, (), {}, 0.0)


def test_jobs_are_counted_by_state_wherever_they_go(live: Live) -> None:
    done(live)
    one = begun(live)
    live.jobs.end(one.at(failed(one.status, errors.DamagedImage(), 1.0)))
    two = begun(live)
    live.jobs.end(two.at(cancelled(two.status, 1.0)))
    running = begun(live)
    waiting = [queued(live) for _ in range(3)]
    assert live.counters.overview().jobs == {"queued": 3, "running": 1, "succeeded": 1, "failed": 1, "cancelled": 1}
    live.queue.requeue(running.id)
    live.jobs.forget(waiting[0].id)
    live.jobs.forget(one.id)
    assert live.counters.overview().jobs == {"queued": 3, "running": 0, "succeeded": 1, "failed": 0, "cancelled": 1}


def test_the_age_is_that_of_the_job_that_was_made_first_and_still_waits(live: Live) -> None:
    made = job()
    created = made.manifest.created_at
    old, older = (replace(made.manifest, id=job().id, created_at=created - age_s) for age_s in (50, 100))
    for manifest in (made.manifest, older, old):
        live.queue.enqueue(replace(made, manifest=manifest), limit=None)
    assert 100 <= live.counters.overview().oldest_queued_s < 130
    live.jobs.end(replace(made, manifest=older, status=cancelled(made.status, created)))
    assert 50 <= live.counters.overview().oldest_queued_s < 80
    while live.queue.take("token", LEASE_S):
        pass
    assert live.counters.overview().oldest_queued_s == 0


def test_a_job_that_comes_back_from_a_lost_encoder_is_as_old_as_it_was(live: Live) -> None:
    made = job()
    made = replace(made, manifest=replace(made.manifest, created_at=made.manifest.created_at - 70))
    live.queue.enqueue(made, limit=None)
    live.queue.take("token", LEASE_S)
    live.queue.requeue(made.id)
    seen = live.counters.overview()
    assert 70 <= seen.oldest_queued_s < 100
    assert seen.totals["encoders_lost"] == 1


def test_encoders_that_fell_silent_are_not_there(live: Live) -> None:
    live.presence.heartbeat("one", {"seal": {"level": 3}}, 60)
    live.presence.heartbeat("two", {"seal": {"level": 3}}, -1)
    begun(live)
    begun(live)
    seen = live.counters.overview()
    assert [each["seal"]["level"] for each in seen.encoders] == [3]
    assert seen.encoders_busy == 1, "no more than there are"


def test_the_newest_twenty_conversions_have_a_mean_duration(live: Live) -> None:
    assert live.counters.overview().conversion_s == 0
    one = begun(live)
    assert one.status.started_at is not None
    live.jobs.end(one.at(succeeded(one.status, result(), one.status.started_at + 200)))
    assert live.counters.overview().conversion_s == pytest.approx(200, abs=0.1)
    for _ in range(20):
        done(live)
    assert live.counters.overview().conversion_s == pytest.approx(2, abs=0.1)


def test_each_job_is_counted_once_with_its_bytes_however_often_its_end_is_told(live: Live) -> None:
    each = done(live, source=source(bytes=1000, width=100, height=50, frames=2))
    for _ in range(3):
        live.queue.enqueue(each, limit=None)
        live.jobs.end(each)
        live.jobs.end(each.at(failed(each.status, errors.DamagedImage(), 1.0)))
    totals = live.counters.overview().totals
    assert {name: totals[name] for name in ("created", "upload_bytes", "pixels", "source_bytes", "result_bytes", "saved_bytes")} == {
        "created": 1,
        "upload_bytes": 1000,
        "pixels": 10_000,
        "source_bytes": 1000,
        "result_bytes": 480,
        "saved_bytes": 520,
    }
    assert ended(live) == {"succeeded:": 1}


def test_a_result_that_grew_saves_nothing_and_takes_nothing_back(live: Live) -> None:
    done(live, 1500)
    done(live, 900)
    totals = live.counters.overview().totals
    assert (totals["source_bytes"], totals["result_bytes"], totals["saved_bytes"]) == (2000, 2400, 100)


def test_an_end_is_counted_by_state_and_code(live: Live) -> None:
    for error in (errors.DamagedImage(), errors.DamagedImage(), errors.EncodeTimeout(limit_s=1)):
        each = begun(live)
        live.jobs.end(each.at(failed(each.status, error, 1.0)))
    live.jobs.forget(begun(live).id)
    live.jobs.forget(queued(live).id)
    live.jobs.forget(done(live).id)
    assert ended(live) == {"failed:damaged_image": 2, "failed:encode_timeout": 1, "erased:": 2, "succeeded:": 1}
    assert live.counters.overview().totals["created"] == sum(ended(live).values())


def test_seconds_fall_into_buckets(live: Live) -> None:
    done(live)
    done(live)
    totals = live.counters.overview().totals
    assert totals["stage:decode:le:0.25"] == 2, "a bound belongs to its bucket"
    assert totals["stage:encode:le:2.5"] == 2
    assert totals["stage:encode:sum"] == pytest.approx(3)
    assert sum(amount for name, amount in totals.items() if name.startswith("wait:le:")) == 2


def test_what_is_counted_apart_from_jobs_is_added_up(live: Live) -> None:
    live.counters.add({"freed_bytes": 5, "encoder_starts:scaled": 1})
    live.counters.add({"freed_bytes": 2**40})
    assert live.counters.overview().totals == {"freed_bytes": 2**40 + 5, "encoder_starts:scaled": 1}


def test_the_last_minute_is_summed_up(live: Live) -> None:
    for _ in range(3):
        done(live)
    seen = live.counters.overview()
    assert seen.recent == {"ended": 3, "pixels": 3 * 192, "source_bytes": 3000, "result_bytes": 1440}
    assert 60 <= seen.recent_s <= 70
    assert 2.5 <= seen.per_minute("ended") <= 3


def test_an_earlier_end_that_the_store_knew_is_not_counted_again(live: Live) -> None:
    each = job()
    live.jobs.restore(each.at(cancelled(each.status, 1.0)), 16)
    seen = live.counters.overview()
    assert seen.jobs["cancelled"] == 1 and seen.totals == {}


def test_an_end_after_the_state_was_lost_counts_as_a_whole_job(live: Live) -> None:
    each = job()
    live.jobs.end(each.at(cancelled(each.status, 1.0)))
    assert live.counters.overview().totals["created"] == 1 and ended(live) == {"cancelled:": 1}


def test_an_unreachable_redis_is_named(own_redis: RedisServer, connect: Callable[[str], redis.Redis]) -> None:
    counters = redis_live_state(connect(own_redis.url))["counters"]
    own_redis.kill()
    with pytest.raises(errors.BackendUnavailable):
        counters.overview()


def test_an_overview_costs_the_same_with_thousands_of_jobs(
    redis_live: Live, redis_server: RedisServer, connect: Callable[[str], redis.Redis]
) -> None:
    """Counted in what Redis does, not in time: the answer's size and the script's commands do not grow with the jobs."""

    def commands(call: Callable[[], object]) -> int:
        client = connect(redis_server.url)
        client.config_resetstat()
        call()
        return sum(each["calls"] for each in client.info("commandstats").values())

    redis_live.counters.overview()
    few = commands(redis_live.counters.overview)
    pipe = connect(redis_server.url).pipeline()
    for number in range(5000):
        pipe.zadd(f"{KEY_PREFIX}waiting", {f"job-{number}": number})
        pipe.zadd(f"{KEY_PREFIX}ended:succeeded", {f"job-{number}": number})
    pipe.execute()
    assert commands(redis_live.counters.overview) == few


def test_a_memory_server_that_is_down_says_so() -> None:
    server = MemoryServer()
    counters = memory_live_state(server)["counters"]
    server.is_down = True
    with pytest.raises(errors.BackendUnavailable):
        counters.overview()
    with pytest.raises(errors.BackendUnavailable):
        counters.add({"freed_bytes": 1})


def test_every_bucket_is_a_bound_that_is_told() -> None:
    each = job()
    for seconds in (0.0, 0.01, 0.011, 299, 300, 10**6, -5):
        status = replace(each.status, state="failed", started_at=each.manifest.created_at + seconds, error=errors.Internal().as_record())
        amounts = tally.of_end(each.at(status))
        (bucket,) = [name for name in amounts if name.startswith("wait:le:")]
        bound = float(bucket.rsplit(":", 1)[1])
        assert bound == float("inf") or bound in tally.BOUNDS_S
        assert max(0.0, seconds) <= bound + 1e-6
        json.dumps(amounts)
