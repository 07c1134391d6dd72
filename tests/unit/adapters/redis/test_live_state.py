"""What only Redis has: it goes away, it hangs, it is shared by many clients."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from backend import errors
from backend.adapters.redis.client import KEY_PREFIX
from backend.adapters.redis.live_state import live_state
from backend.core.index_line import index_line
from backend.core.job import Status, succeeded
from backend.core.scan import Scan
from backend.ports.delivery_queue import Shares, Waiting
from backend.ports.queue import Claim, JobQueue
from backend.texts.problems import problem
from tests.contract.live import Live, result
from tests.fakes.samples import job, manifest
from tests.fakes.waiting import until
from tests.support.redis_server import RedisServer

Connect = Callable[[str], redis.Redis]
CALLS: dict[str, Callable[[Live], object]] = {
    "queue.enqueue": lambda live: live.queue.enqueue(job(), limit=None),
    "queue.submit": lambda live: live.queue.submit(job(), limit=None),
    "queue.publish_positions": lambda live: live.queue.publish_positions(),
    "jobs.restore": lambda live: live.jobs.restore(job(), 16),
    "queue.take": lambda live: live.queue.take("token", 1),
    "queue.is_express_called": lambda live: live.queue.is_express_called(0.01),
    "queue.take_express": lambda live: live.queue.take_express("token", 1),
    "queue.top_up_tickets": lambda live: live.queue.top_up_tickets(),
    "fetch_leases.reserve": lambda live: live.fetch_leases.reserve(job(), "token", 1, limit=None),
    "fetch_leases.begin": lambda live: live.fetch_leases.begin("id", "token", 1),
    "fetch_leases.hand_back": lambda live: live.fetch_leases.hand_back("id", "token", 1),
    "fetch_leases.renew": lambda live: live.fetch_leases.renew("id", "token", 1, 1),
    "fetch_leases.expired": lambda live: live.fetch_leases.expired(),
    "fetch_leases.take_over": lambda live: live.fetch_leases.take_over("id", "token", 1),
    "fetch_leases.attach_source": lambda live: live.fetch_leases.attach_source(job()),
    "jobs.followers": lambda live: live.jobs.followers("id"),
    "jobs.completed_duplicates": lambda live: live.jobs.completed_duplicates("work"),
    "leases.report": lambda live: live.leases.report("id", "token", {}, 1),
    "leases.announce_watcher": lambda live: live.leases.announce_watcher("id"),
    "leases.pause": lambda live: live.leases.pause("id", "token", (1.0,)),
    "leases.acquit": lambda live: live.leases.acquit("id", "token"),
    "leases.readopt": lambda live: live.leases.readopt(Claim(job(), "token"), 1),
    "jobs.end": lambda live: live.jobs.end(job().at(Status(state="cancelled"))),
    "jobs.end_alone": lambda live: live.jobs.end_alone(job().at(Status(state="cancelled"))),
    "leases.expired": lambda live: live.leases.expired(),
    "queue.requeue": lambda live: live.queue.requeue("id"),
    "jobs.find": lambda live: live.jobs.find("id"),
    "jobs.changes_since": lambda live: live.jobs.changes_since("id", 0),
    "jobs.forget": lambda live: live.jobs.forget("id"),
    "queue.depth": lambda live: live.queue.depth(),
    "leases.count": lambda live: live.leases.count(),
    "duties.epoch": lambda live: live.duties.epoch(),
    "duties.begin_epoch": lambda live: live.duties.begin_epoch("name"),
    "duties.acquire": lambda live: live.duties.acquire("duty", "holder", 1),
    "index.add": lambda live: live.index.add([index_line(manifest())]),
    "index.entries": lambda live: live.index.entries("maker", None, 1),
    "index.expired": lambda live: live.index.expired(1.0, 1),
    "presence.heartbeat": lambda live: live.presence.heartbeat("encoder", {}, 1),
    "presence.encoders": lambda live: live.presence.encoders(),
    "presence.announce": lambda live: live.presence.announce("gateway", {}, 1),
    "presence.leave": lambda live: live.presence.leave("encoders", "encoder"),
    "presence.gateways": lambda live: live.presence.gateways(),
    "presence.needs": lambda live: live.presence.needs(),
    "presence.own_address": lambda live: live.presence.own_address(),
    "counters.add": lambda live: live.counters.add({"name": 1}),
    "counters.overview": lambda live: live.counters.overview(),
    "memos.get": lambda live: live.memos.get("key"),
    "memos.put_if_absent": lambda live: live.memos.put_if_absent("key", "value", 1),
    "memos.delete": lambda live: live.memos.delete("key"),
    "history.add": lambda live: live.history.add({"at": 1.0}, 3),
    "history.samples": lambda live: live.history.samples(),
    "history.restore": lambda live: live.history.restore([{"at": 1.0}]),
    "history.server": lambda live: live.history.server(),
    "client_uses.look": lambda live: live.client_uses.look("client"),
    "client_uses.add_bytes": lambda live: live.client_uses.add_bytes({"client": 1}),
    "client_uses.add_uploads": lambda live: live.client_uses.add_uploads("client", [("id", time.time() + 60)]),
    "client_uses.remove_upload": lambda live: live.client_uses.remove_upload("client", "id"),
    "deliveries.add": lambda live: live.deliveries.add([Waiting("id", "client", "http://a", 1.0)]),
    "deliveries.claim": lambda live: live.deliveries.claim(1, 1.0, Shares(1, 1)),
    "deliveries.put_back": lambda live: live.deliveries.put_back("id", 1.0, {}),
    "deliveries.remove": lambda live: live.deliveries.remove("id", {}),
    "deliveries.pause": lambda live: live.deliveries.pause("http://a", 1.0),
    "deliveries.count_failures": lambda live: live.deliveries.count_failures("http://a", True),
    "deliveries.count": lambda live: live.deliveries.count("client"),
    "jobs.unknown": lambda live: live.jobs.unknown(["id"]),
    "index.missing": lambda live: live.index.missing(["id"]),
    "upkeep.want_scan": lambda live: live.upkeep.want_scan("why", 1.0),
    "upkeep.wanted_scan": lambda live: live.upkeep.wanted_scan(),
    "upkeep.scan": lambda live: live.upkeep.scan(),
    "upkeep.begin_scan": lambda live: live.upkeep.begin_scan(Scan("id", "why", 1.0), "duty", "holder"),
    "upkeep.save_scan": lambda live: live.upkeep.save_scan(Scan("id", "why", 1.0), "duty", "holder"),
    "upkeep.end_scan": lambda live: live.upkeep.end_scan(Scan("id", "why", 1.0), "duty", "holder"),
    "upkeep.note": lambda live: live.upkeep.note("kind"),
    "upkeep.notes": lambda live: live.upkeep.notes(),
    "upkeep.signs": lambda live: live.upkeep.signs(),
    "upkeep.strays": lambda live: live.upkeep.strays(0),
    "upkeep.mend": lambda live: live.upkeep.mend(["id"]),
    "upkeep.lost": lambda live: live.upkeep.lost(),
    "counters.count_in_window": lambda live: live.counters.count_in_window("key", 1, 1),
}


def test_every_method_of_every_port_is_called_here(redis_live: Live) -> None:
    ports = vars(redis_live).items()
    assert set(CALLS) == {f"{name}.{method}" for name, port in ports for method in vars(type(port)) if not method.startswith("_")}


@pytest.mark.parametrize("name", CALLS)
def test_no_method_lets_redis_own_errors_out_when_it_is_away(tmp_path: Path, connect: Connect, name: str) -> None:
    with pytest.raises(errors.BackendUnavailable) as raised:
        CALLS[name](Live(**live_state(connect(f"unix://{tmp_path}/nothing.sock"))))
    assert raised.value.params == {"part": "redis"}
    assert str(tmp_path) not in str(problem(raised.value.as_record()))


def test_a_server_that_hangs_is_given_up_within_three_seconds(tmp_path: Path, connect: Connect) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s.sock"))
        silent.listen()
        begun = time.monotonic()
        with pytest.raises(errors.BackendUnavailable):
            live_state(connect(f"unix://{tmp_path}/s.sock"))["queue"].depth()
    assert time.monotonic() - begun < 3


def test_after_a_restart_the_same_client_works_and_the_state_is_empty(own_redis: RedisServer, connect: Connect) -> None:
    live = Live(**live_state(connect(own_redis.url)))
    live.queue.enqueue(job(), limit=None)
    live.duties.begin_epoch("worker-1")
    own_redis.kill()
    with pytest.raises(errors.BackendUnavailable):
        live.queue.depth()
    own_redis.start()
    assert (live.queue.depth(), live.duties.epoch()) == (0, None)
    assert live.queue.enqueue(job(), limit=None).status.position == 0


def test_a_hundred_jobs_are_given_to_eight_encoders_once_each(redis_server: RedisServer, connect: Connect, redis_live: Live) -> None:
    made = [job(client=str(number % 3)) for number in range(100)]
    for each in made:
        redis_live.queue.enqueue(each, limit=None)
    given: list[str] = []

    def work(token: str, mine: JobQueue) -> None:
        while (each := mine.take(token, 60)) is not None:
            given.append(each.job.id)

    threads = [threading.Thread(target=work, args=(str(number), live_state(connect(redis_server.url))["queue"])) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(given) == sorted(each.id for each in made)


def test_every_key_is_under_the_prefix(redis_server: RedisServer, connect: Connect, redis_live: Live) -> None:
    for call in CALLS.values():
        call(redis_live)
    strays = [key for key in connect(redis_server.url).scan_iter() if not key.startswith(KEY_PREFIX)]
    assert strays == []


def test_what_is_known_of_a_job_outlives_its_retention_by_little(redis_server: RedisServer, connect: Connect, redis_live: Live) -> None:
    made = job(expires_at=time.time() + 100)
    client = connect(redis_server.url)
    watcher = client.pubsub()
    watcher.psubscribe(f"{KEY_PREFIX}changed:*")
    until(lambda: watcher.get_message() is not None)
    redis_live.queue.enqueue(made, limit=None)
    watcher.close()
    for key in (f"job:{made.id}", f"log:{made.id}"):
        assert 100 < client.ttl(KEY_PREFIX + key) < 200


def test_an_ended_job_leaves_redis_after_ten_minutes_and_its_log_after_one(redis_server: RedisServer, connect: Connect, redis_live: Live) -> None:
    client = connect(redis_server.url)
    watcher = client.pubsub()
    watcher.psubscribe(f"{KEY_PREFIX}changed:*")
    until(lambda: watcher.get_message() is not None)
    made = job()
    redis_live.queue.enqueue(made, limit=None)
    claim = redis_live.queue.take("token", 60)
    assert claim is not None
    redis_live.jobs.end(claim.job.at(succeeded(claim.job.status, result(), time.time())))
    watcher.close()
    assert 590 < client.ttl(f"{KEY_PREFIX}job:{made.id}") <= 600
    assert 50 < client.ttl(f"{KEY_PREFIX}log:{made.id}") <= 60


def test_an_ended_job_that_left_redis_is_known_again_as_it_was(redis_server: RedisServer, connect: Connect, redis_live: Live) -> None:
    """Its ``seq`` too, though a change came between the end in the store and the one in Redis; and nothing is counted twice."""
    made = job(work_key="work")
    redis_live.queue.enqueue(made, limit=None)
    claim = redis_live.queue.take("token", 60)
    assert claim is not None
    stored = claim.job.at(succeeded(claim.job.status, result(), time.time()))
    redis_live.leases.report(made.id, "token", {"progress": 50}, 60)
    ended, counted = redis_live.jobs.end(stored), redis_live.counters.overview()
    for again in (lambda: redis_live.jobs.restore(stored, 16), lambda: redis_live.jobs.end(stored)):
        connect(redis_server.url).delete(f"{KEY_PREFIX}job:{made.id}")
        assert again().status.seq == ended.status.seq == stored.status.seq + 1
        assert redis_live.jobs.find(made.id) == ended
    after = redis_live.counters.overview()
    assert (after.jobs, after.totals, after.recent) == (counted.jobs, counted.totals, counted.recent)
    assert redis_live.jobs.completed_duplicates("work") == [made.id]
    redis_live.jobs.forget(made.id)
    assert not connect(redis_server.url).exists(f"{KEY_PREFIX}seqs")


def test_the_queue_forgets_its_clients_once_it_is_empty(redis_server: RedisServer, connect: Connect, redis_live: Live) -> None:
    for number in range(20):
        redis_live.queue.enqueue(job(client=f"client-{number}"), limit=None)
    while redis_live.queue.take("token", 60):
        pass
    redis_live.queue.enqueue(job(client="last"), limit=None)
    assert connect(redis_server.url).hlen(KEY_PREFIX + "queue:tags") == 1


def test_a_server_that_was_restarted_with_an_older_state_counts_as_empty(redis_live: Live, redis_server: RedisServer, connect: Connect) -> None:
    """With persistence, or as a replica that took over, it may lack the newest jobs."""
    redis_live.duties.begin_epoch("me")
    assert redis_live.duties.epoch() == "me"
    connect(redis_server.url).set(f"{KEY_PREFIX}epoch", "me@the run id of another process")
    assert redis_live.duties.epoch() is None


def test_jobs_that_the_version_before_queued_are_given_out_in_its_order(redis_server: RedisServer, connect: Connect, redis_live: Live) -> None:
    client = connect(redis_server.url)
    made = [job(client=f"client-{number % 2}") for number in range(6)]
    for each in made:
        redis_live.queue.enqueue(each, limit=None)
    known_then = client.zrange(KEY_PREFIX + "queue", 0, -1)
    for kind in ("client:", "own:", "turns:", "line:", "underway:"):
        for key in client.scan_iter(f"{KEY_PREFIX}{kind}*"):
            client.delete(key)
    late = job(client="client-0", is_ephemeral=True)
    redis_live.queue.enqueue(late, limit=None)
    assert redis_live.queue.publish_positions() >= 0
    given = [claim.job.id for _ in range(7) if (claim := redis_live.queue.take("token", 60)) is not None]
    assert [each for each in given if each != late.id] == known_then and late.id in given
    assert redis_live.queue.take("token", 60) is None and redis_live.queue.depth() == 0


def test_an_encoder_of_the_version_before_takes_jobs_beside_the_new_ones(redis_server: RedisServer, connect: Connect, redis_live: Live) -> None:
    client = connect(redis_server.url)
    made = [job(client=f"home line-{number % 3}", batch=None if number % 2 else "b") for number in range(20)]
    for each in made:
        redis_live.queue.enqueue(each, limit=None)
    given = []
    for number in range(40):
        if number % 2:
            for job_id, _ in client.zpopmin(KEY_PREFIX + "queue"):
                client.zrem(KEY_PREFIX + "waiting", job_id)
                if client.hget(f"{KEY_PREFIX}job:{job_id}", "state") == "queued":
                    client.hset(f"{KEY_PREFIX}job:{job_id}", "state", "running")
                    given.append(job_id)
        elif (claim := redis_live.queue.take("token", 60)) is not None:
            given.append(claim.job.id)
    assert sorted(given) == sorted(each.id for each in made)
