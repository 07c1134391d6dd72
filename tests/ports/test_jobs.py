"""The contract of ``Jobs``: Redis and memory."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from backend import errors
from backend.core.job import Job, Result, Status, cancelled, failed, succeeded
from backend.core.options import Options
from backend.ports.jobs import Claim, Jobs, ReportAck
from tests.memory.samples import job, manifest, source
from tests.memory.waiting import until

LEASE_S = 60.0
NO_TIME_S = 0.02


def queued(jobs: Jobs, client: str = "someone", **given: object) -> Job:
    made = job(client=client, **given)
    jobs.enqueue(made, limit=None)
    return made


def claim(jobs: Jobs, token: str = "token", lease_s: float = LEASE_S) -> Claim:
    found = jobs.take(token, lease_s)
    assert found is not None
    return found


def found(jobs: Jobs, job_id: str) -> Job:
    job = jobs.find(job_id)
    assert job is not None
    return job


def seqs(jobs: Jobs, job_id: str, after: int = 0) -> list[int]:
    changes = jobs.since(job_id, after)
    assert changes is not None
    return [each.seq for each in changes]


def order(jobs: Jobs, names: dict[str, str]) -> str:
    """The order in which the waiting jobs are given out, by the names of their clients."""
    said = []
    while (each := jobs.take("token", LEASE_S)) is not None:
        said.append(names[each.job.id])
    return " ".join(said)


def result() -> Result:
    return Result("result-token.webp", 480, "cd" * 32, 16, 12, 1, facts={"seconds": {"decode": 0.25, "encode": 1.5}})


def test_a_queued_job_is_found_as_it_was_given(jobs: Jobs) -> None:
    made = job(source=source(filename="我的图片 😀.png"), options=Options(quality="auto", width=100), owner="digest", batch=None)
    assert jobs.enqueue(made, limit=10).status.position == 0
    assert jobs.find(made.id) == made.at(replace(made.status, position=0))
    assert jobs.queued() == 1 and jobs.running() == 0


def test_positions_count_those_before(jobs: Jobs) -> None:
    made = [job() for _ in range(3)]
    assert [jobs.enqueue(each, limit=None).status.position for each in made] == [0, 1, 2]
    jobs.take("token", LEASE_S)
    assert jobs.move() == 2
    assert [found(jobs, each.id).status.position for each in made] == [None, 0, 1]
    assert [found(jobs, each.id).status.seq for each in made] == [2, 2, 2]


def test_a_queue_that_stands_still_tells_nothing(jobs: Jobs) -> None:
    for _ in range(3):
        jobs.enqueue(job(), limit=None)
    assert jobs.move() == 0


def test_places_far_behind_are_told_in_steps_of_a_tenth(jobs: Jobs) -> None:
    made = [job() for _ in range(40)]
    for each in made:
        jobs.enqueue(each, limit=None)
    jobs.take("token", LEASE_S)
    assert jobs.move() == 10, "places 1 to 10 moved by a tenth or more"
    assert found(jobs, made[39].id).status.position == 39


def test_the_wait_is_estimated_from_recent_conversions(jobs: Jobs) -> None:
    jobs.greet("one", {}, 60)
    jobs.greet("two", {}, 60)
    done = job()
    jobs.enqueue(done, limit=None)
    claim = jobs.take("token", LEASE_S)
    assert claim is not None
    ended = replace(claim.job.status, state="succeeded", started_at=100.0, finished_at=102.0, result=result())
    jobs.end(claim.job.at(ended))
    waits = [jobs.enqueue(job(), limit=None).status.eta_s for _ in range(4)]
    assert waits == [2.0, 2.0, 4.0, 4.0], "two encoders, two seconds each"


def test_the_places_of_those_who_wait_are_told_when_they_move_up_and_only_then(jobs: Jobs) -> None:
    made = [queued(jobs) for _ in range(3)]
    assert jobs.move() == 0
    claim(jobs)
    assert jobs.move() == 2
    assert [(found(jobs, each.id).status.position, found(jobs, each.id).status.seq) for each in made[1:]] == [(0, 2), (1, 2)]
    assert jobs.move() == 0


def test_far_back_in_the_queue_places_are_told_in_steps_of_a_tenth(jobs: Jobs) -> None:
    made = [queued(jobs) for _ in range(40)]
    claim(jobs)
    told = jobs.move()
    assert 1 <= told < 39
    assert found(jobs, made[-1].id).status.position == 39
    for _ in range(4):
        claim(jobs)
    jobs.move()
    assert found(jobs, made[-1].id).status.position == 34


def test_an_unknown_job_is_not_found(jobs: Jobs) -> None:
    assert jobs.find("no-such-job-0000000000") is None
    assert jobs.since("no-such-job-0000000000", 0) is None


def test_a_job_that_is_known_is_not_queued_again(jobs: Jobs) -> None:
    made = queued(jobs)
    jobs.enqueue(made, limit=None)
    assert jobs.queued() == 1
    claim(jobs)
    jobs.enqueue(made, limit=None)
    assert jobs.queued() == 0
    assert found(jobs, made.id).status.state == "running"


def test_the_limit_counts_the_jobs_that_wait(jobs: Jobs) -> None:
    first, second, third = job(), job(), job()
    jobs.enqueue(first, limit=2)
    jobs.enqueue(second, limit=2)
    with pytest.raises(errors.QueueFull):
        jobs.enqueue(third, limit=2)
    assert jobs.find(third.id) is None
    claim(jobs)
    assert jobs.enqueue(third, limit=2).status.position == 1


def test_jobs_of_one_client_come_in_the_order_of_their_arrival(jobs: Jobs) -> None:
    made = [queued(jobs).id for _ in range(20)]
    assert [claim(jobs).job.id for _ in made] == made


def test_fifty_jobs_of_one_client_do_not_starve_anothers_single(jobs: Jobs) -> None:
    for _ in range(50):
        queued(jobs, "crowd")
    single = queued(jobs, "single")
    assert single.id in [claim(jobs).job.id for _ in range(2)]


def test_clients_take_turns(jobs: Jobs) -> None:
    names = {queued(jobs, client).id: client for client in ["a", "a", "a", "b", "b", "b", "c"]}
    assert order(jobs, names) == "a b c a b a b"


def test_who_comes_late_neither_waits_for_the_past_nor_overtakes_it_for_ever(jobs: Jobs) -> None:
    names = {queued(jobs, "early").id: "early" for _ in range(6)}
    for _ in range(3):
        claim(jobs)
    names |= {queued(jobs, "late").id: "late" for _ in range(3)}
    assert order(jobs, names) in ("late early late early late early", "early late early late early late")


def test_a_taken_job_runs_under_its_token_and_counts_its_attempts(jobs: Jobs) -> None:
    made = queued(jobs)
    one = claim(jobs, "one")
    assert (one.token, one.job.manifest) == ("one", made.manifest)
    status = one.job.status
    assert (status.seq, status.state, status.stage, status.progress, status.attempt, status.position) == (2, "running", "decode", 0, 1, None)
    assert status.started_at is not None and abs(status.started_at - time.time()) < 5
    assert jobs.queued() == 0 and jobs.running() == 1
    assert jobs.take("two", LEASE_S) is None


def test_each_change_raises_seq_by_exactly_one_and_is_logged(jobs: Jobs) -> None:
    made = queued(jobs)
    claim(jobs)
    assert jobs.report(made.id, "token", {"stage": "encode", "progress": 40, "eta_s": 2.5}, LEASE_S) == ReportAck(3, 0)
    assert jobs.report(made.id, "token", {"progress": 41, "eta_s": None}, LEASE_S) == ReportAck(4, 0)
    ended = jobs.end(found(jobs, made.id).at(succeeded(found(jobs, made.id).status, result(), time.time())))
    assert ended.status.seq == 5
    log = jobs.since(made.id, 0)
    assert log is not None
    assert [(each.seq, each.state, each.stage, each.progress, each.eta_s) for each in log] == [
        (1, "queued", None, 0, None),
        (2, "running", "decode", 0, None),
        (3, "running", "encode", 40, 2.5),
        (4, "running", "encode", 41, None),
        (5, "succeeded", None, 100, None),
    ]
    assert log[-1] == ended.status == found(jobs, made.id).status


def test_renewing_a_lease_is_no_change(jobs: Jobs) -> None:
    made = queued(jobs)
    claim(jobs)
    assert jobs.report(made.id, "token", {}, LEASE_S) == ReportAck(2, 0)
    assert seqs(jobs, made.id) == [1, 2]


def test_the_log_gives_what_is_newer_than_a_seq(jobs: Jobs) -> None:
    made = queued(jobs)
    claim(jobs)
    assert seqs(jobs, made.id, after=1) == [2]
    assert seqs(jobs, made.id, after=2) == []


def test_a_log_that_no_longer_reaches_back_says_so(jobs: Jobs) -> None:
    made = queued(jobs)
    claim(jobs)
    for number in range(600):
        jobs.report(made.id, "token", {"progress": number % 100}, LEASE_S)
    assert jobs.since(made.id, 5) is None
    assert seqs(jobs, made.id, after=590)[0] == 591


def test_of_a_passing_job_nothing_is_told_but_its_end(jobs: Jobs) -> None:
    made = queued(jobs, is_passing=True)
    running = claim(jobs)
    assert jobs.report(made.id, "token", {"stage": "encode", "progress": 40}, LEASE_S) == ReportAck(running.job.status.seq, 0)
    assert found(jobs, made.id).status == running.job.status
    ended = jobs.end(running.job.at(succeeded(running.job.status, result(), 5.0)))
    assert seqs(jobs, made.id) == [1, 2, 3] and ended.status.seq == 3


def test_a_report_under_a_stale_token_is_refused_and_changes_nothing(jobs: Jobs) -> None:
    made = queued(jobs)
    claim(jobs, "mine")
    assert jobs.report(made.id, "another's", {"progress": 99}, LEASE_S) == ReportAck(0, 0)
    assert found(jobs, made.id).status.progress == 0


def test_a_report_on_a_job_that_is_unknown_here_returns_none(jobs: Jobs) -> None:
    assert jobs.report("no-such-job-0000000000", "token", {"progress": 1}, LEASE_S) is None


def test_an_ended_job_stays_ended(jobs: Jobs) -> None:
    made = queued(jobs)
    running = claim(jobs).job
    first = jobs.end(running.at(cancelled(running.status, time.time())))
    again = jobs.end(running.at(succeeded(running.status, result(), time.time())))
    assert first.status == again.status and again.status.state == "cancelled"
    assert jobs.report(made.id, "token", {"progress": 50}, LEASE_S) == ReportAck(0, 0)
    assert jobs.requeue(made.id) == -1
    jobs.enqueue(made, limit=None)
    jobs.restore(made)
    assert jobs.adopt(Claim(running, "other"), LEASE_S) is False
    assert found(jobs, made.id).status == first.status
    assert (jobs.queued(), jobs.running()) == (0, 0)


def test_a_job_that_ends_while_it_waits_leaves_the_queue(jobs: Jobs) -> None:
    made = queued(jobs)
    assert jobs.end(made.at(cancelled(made.status, time.time()))).status.seq == 2
    assert jobs.queued() == 0
    assert jobs.take("token", LEASE_S) is None


def test_an_end_keeps_result_and_facts(jobs: Jobs) -> None:
    queued(jobs)
    running = claim(jobs).job
    ended = jobs.end(running.at(succeeded(running.status, result(), 1_800_000_000.25)))
    assert ended.status.result == result()
    assert ended.status.finished_at == 1_800_000_000.25
    assert ended.status.started_at == running.status.started_at


def test_an_end_keeps_the_record_of_its_error(jobs: Jobs) -> None:
    queued(jobs)
    running = claim(jobs).job
    error = errors.TooManyPixels(width=9000, height=9000, frames=1, pixels=81_000_000, limit=50_000_000)
    ended = jobs.end(running.at(failed(running.status, error, time.time())))
    assert ended.status.error == error.as_record()


def test_the_end_of_a_job_that_is_unknown_here_makes_it_known_as_ended(jobs: Jobs) -> None:
    made = job()
    ended = jobs.end(made.at(cancelled(replace(made.status, seq=7), time.time())))
    assert found(jobs, made.id).status == ended.status
    assert ended.status.state == "cancelled" and ended.status.seq >= 7
    assert jobs.queued() == 0


def test_a_lease_that_runs_out_loses_the_job_and_one_that_is_renewed_does_not(jobs: Jobs) -> None:
    lost, kept = queued(jobs), queued(jobs)
    claim(jobs, "one", NO_TIME_S)
    claim(jobs, "two", NO_TIME_S)
    jobs.report(kept.id, "two", {}, LEASE_S)
    assert until(jobs.lost) == [lost.id]


def test_a_lost_job_goes_to_the_head_of_the_queue_and_its_old_encoder_is_refused(jobs: Jobs) -> None:
    made, other = queued(jobs), queued(jobs)
    claim(jobs, "old", NO_TIME_S)
    jobs.report(made.id, "old", {"stage": "encode", "progress": 40}, NO_TIME_S)
    assert jobs.requeue(made.id) == 1
    status = found(jobs, made.id).status
    assert (status.seq, status.state, status.stage, status.progress, status.position, status.started_at) == (4, "queued", None, 0, 0, None)
    assert jobs.report(made.id, "old", {"progress": 41}, LEASE_S) == ReportAck(0, 0)
    again = claim(jobs, "new")
    assert (again.job.id, again.job.status.attempt) == (made.id, 2)
    assert jobs.report(made.id, "old", {"progress": 41}, LEASE_S) == ReportAck(0, 0)
    assert claim(jobs).job.id == other.id
    assert jobs.lost() == []


def test_a_job_that_no_longer_runs_is_not_queued_again(jobs: Jobs) -> None:
    made = queued(jobs)
    assert jobs.requeue(made.id) == -1
    assert jobs.requeue("no-such-job-0000000000") == -1
    assert jobs.queued() == 1


def test_a_running_job_is_adopted_after_the_state_was_lost(jobs: Jobs) -> None:
    running = job().at(Status(seq=17, state="running", stage="encode", progress=60, attempt=1))
    assert jobs.adopt(Claim(running, "mine"), LEASE_S) is True
    assert found(jobs, running.id).status.progress == 60
    assert jobs.report(running.id, "mine", {"progress": 61}, LEASE_S) == ReportAck(18, 0)
    assert jobs.running() == 1


def test_of_two_encoders_that_adopt_a_job_only_the_first_may(jobs: Jobs) -> None:
    running = job().at(Status(seq=17, state="running", attempt=1))
    assert jobs.adopt(Claim(running, "quick"), LEASE_S) is True
    assert jobs.adopt(Claim(running, "slow"), LEASE_S) is False
    assert jobs.report(running.id, "slow", {"progress": 1}, LEASE_S) == ReportAck(0, 0)


def test_a_job_that_was_queued_again_meanwhile_is_adopted_out_of_the_queue(jobs: Jobs) -> None:
    made = job()
    jobs.enqueue(made.at(Status(seq=30)), limit=None)
    assert jobs.adopt(Claim(made.at(Status(seq=17, state="running", stage="encode", progress=60, attempt=1)), "mine"), LEASE_S) is True
    assert jobs.queued() == 0
    status = found(jobs, made.id).status
    assert (status.seq, status.state, status.progress) == (31, "running", 60)


def test_restoring_makes_an_ended_job_known_and_never_changes_a_known_one(jobs: Jobs) -> None:
    made = job()
    ended = made.at(cancelled(Status(seq=20), 5.0))
    jobs.restore(ended)
    assert found(jobs, made.id) == ended
    jobs.restore(made.at(cancelled(Status(seq=99), 6.0)))
    assert found(jobs, made.id) == ended
    assert jobs.queued() == 0


def test_a_forgotten_job_leaves_no_trace(jobs: Jobs) -> None:
    waiting, running = queued(jobs, expires_at=time.time() + 1), None
    running = queued(jobs)
    jobs.forget(waiting.id)
    claim(jobs)
    jobs.forget(running.id)
    jobs.forget("no-such-job-0000000000")
    assert (jobs.find(waiting.id), jobs.find(running.id)) == (None, None)
    assert (jobs.queued(), jobs.running(), jobs.lost()) == (0, 0, [])
    assert jobs.expired(time.time() + 10_000, 10) == []
    assert jobs.report(running.id, "token", {"progress": 1}, LEASE_S) is None


def test_what_has_expired_is_told_oldest_first_and_no_more_than_asked_for(jobs: Jobs) -> None:
    now = time.time()
    second = queued(jobs, expires_at=now + 20)
    first = queued(jobs, expires_at=now + 10)
    queued(jobs, expires_at=now + 3000)
    jobs.expect([manifest("stored-only", expires_at=now + 30)])
    jobs.expect([])
    assert jobs.expired(now + 5, 10) == []
    assert jobs.expired(now + 100, 10) == [first.id, second.id, "stored-only"]
    assert jobs.expired(now + 100, 2) == [first.id, second.id]


def test_an_empty_state_has_no_epoch(jobs: Jobs) -> None:
    assert jobs.epoch() is None
    jobs.begin_epoch("worker-1")
    assert jobs.epoch() == "worker-1"


def test_a_duty_is_held_by_one_until_it_lapses(jobs: Jobs) -> None:
    assert jobs.hold("caretaker", "one", LEASE_S) is True
    assert jobs.hold("caretaker", "one", LEASE_S) is True
    assert jobs.hold("caretaker", "two", LEASE_S) is False
    assert jobs.hold("another duty", "two", LEASE_S) is True
    jobs.hold("caretaker", "one", NO_TIME_S)
    assert until(lambda: jobs.hold("caretaker", "two", LEASE_S))
    assert jobs.hold("caretaker", "one", LEASE_S) is False


def test_encoders_are_there_until_they_fall_silent(jobs: Jobs) -> None:
    jobs.greet("a", {"pid": 1, "seal": {"level": 3}}, LEASE_S)
    jobs.greet("b", {"pid": 2}, NO_TIME_S)
    assert until(lambda: len(jobs.encoders()) == 1)
    assert jobs.encoders() == [{"pid": 1, "seal": {"level": 3}}]
    jobs.greet("a", {"pid": 9}, LEASE_S)
    assert jobs.encoders() == [{"pid": 9}]


def test_the_first_memo_stands_until_it_is_released(jobs: Jobs) -> None:
    assert jobs.recall("key") is None
    assert jobs.remember("key", "first", 60) is True
    assert jobs.remember("key", "second", 60) is False
    assert jobs.recall("key") == "first"
    jobs.release("key")
    assert jobs.recall("key") is None
    assert jobs.remember("key", "second", 60) is True


def test_memos_and_counters_end_with_their_time(jobs: Jobs) -> None:
    jobs.remember("key", "value", 1)
    assert jobs.count("rate", 2, 1) == (2, 1)
    assert jobs.count("rate", 3, 1)[0] == 5
    assert jobs.count("another", 1, 60) == (1, 60)
    until(lambda: jobs.recall("key") is None)
    assert until(lambda: jobs.count("rate", 1, 60)[0] < 5)


def test_a_state_that_can_be_reached_answers(jobs: Jobs) -> None:
    jobs.ping()


def test_a_makers_jobs_are_listed_newest_first_from_any_place_on(jobs: Jobs) -> None:
    now = time.time()
    made = [queued(jobs, maker="me", created_at=now + each) for each in (1.25, 2.5, 2.5, 3.000001)]
    queued(jobs, maker="somebody else")
    queued(jobs, maker="")
    stored = manifest(maker="me", created_at=now - 5)
    jobs.expect([stored, manifest(maker="me", is_passing=True)])
    lines = jobs.listed("me", None, 10)
    assert [each.id for each in lines] == [made[3].id, made[2].id, made[1].id, made[0].id, stored.id]
    assert [each.job is None for each in lines] == [False] * 4 + [True]
    assert [each.created_at for each in lines] == [now + 3.000001, now + 2.5, now + 2.5, now + 1.25, now - 5]
    for number, line in enumerate(lines):
        assert jobs.listed("me", (line.created_at, line.id), 2) == lines[number + 1 : number + 3]
    assert jobs.listed("me", None, 1) == lines[:1]
    assert jobs.listed("", None, 10) == []


def test_a_forgotten_job_is_not_listed(jobs: Jobs) -> None:
    made, stored = queued(jobs, maker="me"), manifest(maker="me")
    jobs.expect([stored])
    for each in (made.id, stored.id):
        jobs.forget(each)
    assert jobs.listed("me", None, 10) == []
