"""The contract of ``ClientUses``, and of the share of jobs: Redis and memory."""

from __future__ import annotations

import time

import pytest

from backend import errors
from backend.core.job import cancelled
from tests.contract.live import LEASE_S, Live, claim, queued
from tests.fakes.samples import job


def jobs(live: Live, client: str = "home") -> int:
    return live.client_uses.look(client).jobs


def test_jobs_count_from_the_queue_to_their_end_however_they_end(live: Live) -> None:
    ended, erased, running = (queued(live, f"home {line}") for line in "abc")
    fetched = job(client="home d")
    live.fetch_leases.reserve(fetched, "token", LEASE_S, limit=None)
    queued(live, "far")
    assert (jobs(live), jobs(live, "far"), jobs(live, "nobody")) == (4, 1, 0)
    live.jobs.end(ended.at(cancelled(ended.status, 1.0)))
    live.jobs.forget(erased.id)
    live.fetch_leases.attach_source(fetched)
    assert jobs(live) == 2
    while live.queue.take("token", LEASE_S):
        pass
    live.queue.requeue(running.id)
    assert jobs(live) == 2, "given out, lost and queued again"
    assert live.client_uses.look("home").waiting == live.queue.depth() == 1


def test_a_share_of_jobs_is_exact_and_of_that_client_alone(live: Live) -> None:
    made = [live.queue.enqueue(job(client="home a"), limit=None, share=3), live.queue.enqueue(job(client="home b"), limit=None, share=3)]
    live.fetch_leases.reserve(job(client="home"), "token", LEASE_S, limit=None, share=3)
    refused = job(client="home")
    for call in (
        lambda: live.queue.enqueue(refused, limit=None, share=3),
        lambda: live.queue.submit(refused, limit=None, share=3),
        lambda: live.fetch_leases.reserve(refused, "token", LEASE_S, limit=None, share=3),
    ):
        with pytest.raises(errors.QuotaExceeded) as raised:
            call()
        assert (raised.value.variant, raised.value.params["limit"]) == ("jobs", 3) and raised.value.retry_after_s
    assert live.jobs.find(refused.id) is None
    live.queue.enqueue(job(client="far"), limit=None, share=3)
    live.queue.enqueue(job(client="home"), limit=None)
    live.jobs.forget(claim(live).job.id)
    live.jobs.forget(made[1].id)
    live.queue.enqueue(refused, limit=None, share=3)


def test_a_job_that_expired_without_an_end_does_not_count_for_ever(live: Live) -> None:
    live.queue.enqueue(job(client="home", expires_at=time.time() - 5), limit=None)
    live.jobs.forget("unknown")
    assert jobs(live) <= 1
    live.queue.enqueue(job(client="home"), limit=None, share=2)


def test_bytes_add_up_over_a_day(live: Live) -> None:
    assert live.client_uses.look("home").bytes_of_day == 0
    live.client_uses.add_bytes({"home": 5, "far": 1})
    live.client_uses.add_bytes({"home": 1 << 40})
    use = live.client_uses.look("home")
    assert (use.bytes_of_day, live.client_uses.look("far").bytes_of_day) == (5 + (1 << 40), 1)
    assert 86_390 < use.day_left_s <= 86_400


def test_so_many_uploads_are_admitted_until_one_is_released_or_expires(live: Live) -> None:
    soon = time.time() + 60
    assert [live.client_uses.add_uploads("home", [(str(number), soon)], 2) for number in range(3)] == [True, True, False]
    assert live.client_uses.add_uploads("home", [("1", soon)], 2), "one that is known is no other one"
    assert live.client_uses.add_uploads("far", [("4", soon)], 2)
    live.client_uses.remove_upload("home", "0")
    assert live.client_uses.add_uploads("home", [("5", time.time() - 1)], 2)
    assert live.client_uses.add_uploads("home", [("6", soon)], 2)
    assert not live.client_uses.add_uploads("home", [("7", soon)], 2)
