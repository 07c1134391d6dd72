"""The contract of ``JobQueue``: Redis and memory."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from backend import errors
from backend.core.job import cancelled
from backend.core.protocol import NEWEST
from backend.ports.leases import ReportAck
from backend.ports.queue import OnlyNewer
from tests.contract.live import LEASE_S, NO_TIME_S, Live, claim, found, order, queued, result
from tests.fakes.samples import job


def test_positions_count_those_before(live: Live) -> None:
    made = [job() for _ in range(3)]
    assert [live.queue.enqueue(each, limit=None).status.position for each in made] == [0, 1, 2]
    live.queue.take("token", LEASE_S)
    assert live.queue.publish_positions() == 2
    assert [found(live, each.id).status.position for each in made] == [None, 0, 1]
    assert [found(live, each.id).status.seq for each in made] == [2, 2, 2]


def test_a_queue_that_stands_still_tells_nothing(live: Live) -> None:
    for _ in range(3):
        live.queue.enqueue(job(), limit=None)
    assert live.queue.publish_positions() == 0


def test_places_far_behind_are_told_in_steps_of_a_tenth(live: Live) -> None:
    made = [job() for _ in range(40)]
    for each in made:
        live.queue.enqueue(each, limit=None)
    live.queue.take("token", LEASE_S)
    assert live.queue.publish_positions() == 10, "places 1 to 10 moved by a tenth or more"
    assert found(live, made[39].id).status.position == 39


def test_the_wait_is_estimated_from_recent_conversions(live: Live) -> None:
    live.presence.heartbeat("one", {}, 60)
    live.presence.heartbeat("two", {}, 60)
    done = job()
    live.queue.enqueue(done, limit=None)
    claim = live.queue.take("token", LEASE_S)
    assert claim is not None
    ended = replace(claim.job.status, state="succeeded", started_at=100.0, finished_at=102.0, result=result())
    live.jobs.end(claim.job.at(ended))
    waits = [live.queue.enqueue(job(), limit=None).status.eta_s for _ in range(4)]
    assert waits == [2.0, 2.0, 4.0, 4.0], "two encoders, two seconds each"


def test_the_places_of_those_who_wait_are_told_when_they_move_up_and_only_then(live: Live) -> None:
    made = [queued(live) for _ in range(3)]
    assert live.queue.publish_positions() == 0
    claim(live)
    assert live.queue.publish_positions() == 2
    assert [(found(live, each.id).status.position, found(live, each.id).status.seq) for each in made[1:]] == [(0, 2), (1, 2)]
    assert live.queue.publish_positions() == 0


def test_far_back_in_the_queue_places_are_told_in_steps_of_a_tenth(live: Live) -> None:
    made = [queued(live) for _ in range(40)]
    claim(live)
    told = live.queue.publish_positions()
    assert 1 <= told < 39
    assert found(live, made[-1].id).status.position == 39
    for _ in range(4):
        claim(live)
    live.queue.publish_positions()
    assert found(live, made[-1].id).status.position == 34


def test_a_job_that_is_known_is_not_queued_again(live: Live) -> None:
    made = queued(live)
    live.queue.enqueue(made, limit=None)
    assert live.queue.depth() == 1
    claim(live)
    live.queue.enqueue(made, limit=None)
    assert live.queue.depth() == 0
    assert found(live, made.id).status.state == "running"


def test_the_limit_counts_the_jobs_that_wait(live: Live) -> None:
    first, second, third = job(), job(), job()
    live.queue.enqueue(first, limit=2)
    live.queue.enqueue(second, limit=2)
    with pytest.raises(errors.QueueFull):
        live.queue.enqueue(third, limit=2)
    assert live.jobs.find(third.id) is None
    claim(live)
    assert live.queue.enqueue(third, limit=2).status.position == 1


def test_jobs_of_one_client_come_in_the_order_of_their_arrival(live: Live) -> None:
    made = [queued(live).id for _ in range(20)]
    assert [claim(live).job.id for _ in made] == made


def test_fifty_jobs_of_one_client_do_not_starve_anothers_single(live: Live) -> None:
    for _ in range(50):
        queued(live, "crowd")
    single = queued(live, "single")
    assert single.id in [claim(live).job.id for _ in range(2)]


def test_clients_take_turns(live: Live) -> None:
    names = {queued(live, client).id: client for client in ["a", "a", "a", "b", "b", "b", "c"]}
    assert order(live, names) == "a b c a b a b"


def test_who_comes_late_neither_waits_for_the_past_nor_overtakes_it_for_ever(live: Live) -> None:
    names = {queued(live, "early").id: "early" for _ in range(6)}
    for _ in range(3):
        claim(live)
    names |= {queued(live, "late").id: "late" for _ in range(3)}
    assert order(live, names) in ("late early late early late early", "early late early late early late")


def test_a_taken_job_runs_under_its_token_and_counts_its_attempts(live: Live) -> None:
    made = queued(live)
    one = claim(live, "one")
    assert (one.token, one.job.manifest) == ("one", made.manifest)
    status = one.job.status
    assert (status.seq, status.state, status.stage, status.progress, status.attempt, status.position) == (2, "running", "decode", 0, 1, None)
    assert status.started_at is not None and abs(status.started_at - time.time()) < 5
    assert live.queue.depth() == 0 and live.leases.count() == 1
    assert live.queue.take("two", LEASE_S) is None


def test_a_lost_job_goes_to_the_head_of_the_queue_and_its_old_encoder_is_refused(live: Live) -> None:
    made, other = queued(live), queued(live)
    claim(live, "old", NO_TIME_S)
    live.leases.report(made.id, "old", {"stage": "encode", "progress": 40}, NO_TIME_S)
    assert live.queue.requeue(made.id) == 1
    status = found(live, made.id).status
    assert (status.seq, status.state, status.stage, status.progress, status.position, status.started_at) == (4, "queued", None, 0, 0, None)
    assert live.leases.report(made.id, "old", {"progress": 41}, LEASE_S) == ReportAck(0, 0)
    again = claim(live, "new")
    assert (again.job.id, again.job.status.attempt) == (made.id, 2)
    assert live.leases.report(made.id, "old", {"progress": 41}, LEASE_S) == ReportAck(0, 0)
    assert claim(live).job.id == other.id
    assert live.leases.expired() == []


def test_a_job_that_no_longer_runs_is_not_queued_again(live: Live) -> None:
    made = queued(live)
    assert live.queue.requeue(made.id) == -1
    assert live.queue.requeue("no-such-job-0000000000") == -1
    assert live.queue.depth() == 1


def test_a_job_for_a_newer_release_waits_for_it_and_counts_no_try(live: Live) -> None:
    newer = [queued(live, client="a", needs=NEWEST + 1) for _ in range(3)]
    before = [found(live, each.id).status for each in newer]
    for _ in range(5):
        with pytest.raises(OnlyNewer):
            live.queue.take("token", LEASE_S)
    assert (live.queue.depth(), live.leases.count()) == (3, 0)
    assert [found(live, each.id).status for each in newer] == before
    assert live.queue.take_express("token", LEASE_S) is None


def test_jobs_behind_those_for_a_newer_release_are_given_out_meanwhile(live: Live) -> None:
    newer = {queued(live, client="a", needs=NEWEST + 1).id for _ in range(40)}
    able = [queued(live, client=client) for client in "abc"]
    given = set()
    for _ in range(20):
        try:
            claimed = live.queue.take("token", LEASE_S)
        except OnlyNewer:
            continue
        assert claimed is not None
        given.add(claimed.job.id)
        if len(given) == len(able):
            break
    assert given == {each.id for each in able}
    assert live.queue.depth() == len(newer)


def test_a_job_for_a_newer_release_can_be_cancelled_while_it_waits(live: Live) -> None:
    made = queued(live, needs=NEWEST + 1)
    with pytest.raises(OnlyNewer):
        live.queue.take("token", LEASE_S)
    live.jobs.end(made.at(cancelled(found(live, made.id).status, time.time())))
    assert live.queue.depth() == 0 and live.queue.take("token", LEASE_S) is None


def test_who_takes_a_job_hears_how_many_wait_and_how_many_encoders_there_are(live: Live) -> None:
    for number in range(3):
        queued(live, client=str(number))
    assert [(each.waiting, each.encoders) for each in (claim(live), claim(live))] == [(2, 1), (1, 1)], "one encoder, though none has said it is there"
    for name in ("a", "b"):
        live.presence.heartbeat(name, {"host": "one"}, 60)
    last = claim(live)
    assert (last.waiting, last.encoders) == (0, 2)


def test_who_takes_a_small_job_beyond_the_encoders_hears_it_too(live: Live) -> None:
    live.presence.heartbeat("a", {"host": "one"}, 60)
    queued(live, client="large")
    claim(live)
    for name in ("b", "c"):
        queued(live, client=name)
    found = live.queue.take_express("express", LEASE_S)
    assert found is not None and (found.waiting, found.encoders) == (1, 1)
