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
from backend.adapters.redis.jobs import RedisJobs
from backend.core.job import Status
from backend.ports.jobs import Claim
from backend.texts.problems import problem
from tests.memory.samples import job, manifest
from tests.memory.waiting import until
from tests.ports.redis_server import RedisServer

Connect = Callable[[str], redis.Redis]
CALLS: dict[str, Callable[[RedisJobs], object]] = {
    "enqueue": lambda jobs: jobs.enqueue(job(), limit=None),
    "submit": lambda jobs: jobs.submit(job(), limit=None),
    "move": lambda jobs: jobs.move(),
    "restore": lambda jobs: jobs.restore(job()),
    "take": lambda jobs: jobs.take("token", 1),
    "take_at_bell": lambda jobs: jobs.take_at_bell("token", 1.0, "ada", 0.05),
    "promise": lambda jobs: jobs.promise(job(), "token", 1, limit=None),
    "fetching": lambda jobs: jobs.fetching("id", "token", 1, 1),
    "unfetched": lambda jobs: jobs.unfetched(),
    "fetch_again": lambda jobs: jobs.fetch_again("id", "token", 1),
    "supply": lambda jobs: jobs.supply(job()),
    "twins": lambda jobs: jobs.twins("id"),
    "same": lambda jobs: jobs.same("work"),
    "report": lambda jobs: jobs.report("id", "token", {}, 1),
    "adopt": lambda jobs: jobs.adopt(Claim(job(), "token"), 1),
    "end": lambda jobs: jobs.end(job().at(Status(state="cancelled"))),
    "end_alone": lambda jobs: jobs.end_alone(job().at(Status(state="cancelled"))),
    "lost": lambda jobs: jobs.lost(),
    "requeue": lambda jobs: jobs.requeue("id"),
    "find": lambda jobs: jobs.find("id"),
    "since": lambda jobs: jobs.since("id", 0),
    "forget": lambda jobs: jobs.forget("id"),
    "queued": lambda jobs: jobs.queued(),
    "running": lambda jobs: jobs.running(),
    "epoch": lambda jobs: jobs.epoch(),
    "begin_epoch": lambda jobs: jobs.begin_epoch("name"),
    "hold": lambda jobs: jobs.hold("duty", "holder", 1),
    "expect": lambda jobs: jobs.expect([manifest()]),
    "listed": lambda jobs: jobs.listed("maker", None, 1),
    "expired": lambda jobs: jobs.expired(1.0, 1),
    "greet": lambda jobs: jobs.greet("encoder", {}, 1),
    "encoders": lambda jobs: jobs.encoders(),
    "tally": lambda jobs: jobs.tally({"name": 1}),
    "overview": lambda jobs: jobs.overview(),
    "recall": lambda jobs: jobs.recall("key"),
    "remember": lambda jobs: jobs.remember("key", "value", 1),
    "release": lambda jobs: jobs.release("key"),
    "count": lambda jobs: jobs.count("key", 1, 1),
    "ping": lambda jobs: jobs.ping(),
}


def test_every_method_of_the_port_is_called_here() -> None:
    assert set(CALLS) == {name for name in vars(RedisJobs) if not name.startswith("_")}


@pytest.mark.parametrize("name", CALLS)
def test_no_method_lets_redis_own_errors_out_when_it_is_away(tmp_path: Path, connect: Connect, name: str) -> None:
    with pytest.raises(errors.BackendUnavailable) as raised:
        CALLS[name](RedisJobs(connect(f"unix://{tmp_path}/nothing.sock")))
    assert raised.value.params == {"part": "redis"}
    assert str(tmp_path) not in str(problem(raised.value.as_record()))


def test_a_server_that_hangs_is_given_up_within_three_seconds(tmp_path: Path, connect: Connect) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s.sock"))
        silent.listen()
        begun = time.monotonic()
        with pytest.raises(errors.BackendUnavailable):
            RedisJobs(connect(f"unix://{tmp_path}/s.sock")).ping()
    assert time.monotonic() - begun < 3


def test_after_a_restart_the_same_client_works_and_the_state_is_empty(own_redis: RedisServer, connect: Connect) -> None:
    jobs = RedisJobs(connect(own_redis.url))
    jobs.enqueue(job(), limit=None)
    jobs.begin_epoch("worker-1")
    own_redis.kill()
    with pytest.raises(errors.BackendUnavailable):
        jobs.queued()
    own_redis.start()
    assert (jobs.queued(), jobs.epoch()) == (0, None)
    assert jobs.enqueue(job(), limit=None).status.position == 0


def test_a_hundred_jobs_are_given_to_eight_encoders_once_each(redis_server: RedisServer, connect: Connect, redis_jobs: RedisJobs) -> None:
    made = [job(client=str(number % 3)) for number in range(100)]
    for each in made:
        redis_jobs.enqueue(each, limit=None)
    given: list[str] = []

    def work(token: str, mine: RedisJobs) -> None:
        while (each := mine.take(token, 60)) is not None:
            given.append(each.job.id)

    threads = [threading.Thread(target=work, args=(str(number), RedisJobs(connect(redis_server.url)))) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(given) == sorted(each.id for each in made)


def test_every_key_is_under_the_prefix(redis_server: RedisServer, connect: Connect, redis_jobs: RedisJobs) -> None:
    for call in CALLS.values():
        call(redis_jobs)
    strays = [key for key in connect(redis_server.url).scan_iter() if not key.startswith(KEY_PREFIX)]
    assert strays == []


def test_what_is_known_of_a_job_outlives_its_retention_by_little(redis_server: RedisServer, connect: Connect, redis_jobs: RedisJobs) -> None:
    made = job(expires_at=time.time() + 100)
    redis_jobs.enqueue(made, limit=None)
    client = connect(redis_server.url)
    for key in (f"job:{made.id}", f"log:{made.id}"):
        assert 100 < client.ttl(KEY_PREFIX + key) < 200


def test_the_queue_forgets_its_clients_once_it_is_empty(redis_server: RedisServer, connect: Connect, redis_jobs: RedisJobs) -> None:
    for number in range(20):
        redis_jobs.enqueue(job(client=f"client-{number}"), limit=None)
    while redis_jobs.take("token", 60):
        pass
    redis_jobs.enqueue(job(client="last"), limit=None)
    assert connect(redis_server.url).hlen(KEY_PREFIX + "queue:tags") == 1


def test_encoders_that_fell_silent_are_removed(redis_server: RedisServer, connect: Connect, redis_jobs: RedisJobs) -> None:
    redis_jobs.greet("gone", {}, 0.01)
    until(lambda: redis_jobs.encoders() == [])
    assert connect(redis_server.url).hlen(KEY_PREFIX + "encoders") == 0


def test_a_server_that_was_restarted_with_an_older_state_counts_as_empty(redis_jobs: RedisJobs, redis_server: RedisServer, connect: Connect) -> None:
    """With persistence, or as a replica that took over, it may lack the newest jobs."""
    redis_jobs.begin_epoch("me")
    assert redis_jobs.epoch() == "me"
    connect(redis_server.url).set(f"{KEY_PREFIX}epoch", "me@the run id of another process")
    assert redis_jobs.epoch() is None
