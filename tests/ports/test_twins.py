"""The contract of ``Jobs`` for equal work: Redis and memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backend import errors
from backend.core.job import Job, Result, Status, cancelled, succeeded
from backend.ports.jobs import Jobs
from tests.memory.samples import job

LEASE_S = 60.0
RESULT = Result("result-token.webp", 480, "cd" * 32, 16, 12, 1)


def queued(jobs: Jobs, work: str = "same work", **given: Any) -> Job:
    made = job(**given)
    made = replace(made, manifest=replace(made.manifest, work=work))
    jobs.enqueue(made, limit=None)
    return made


def status(jobs: Jobs, made: Job) -> Status:
    found = jobs.find(made.id)
    assert found is not None
    return found.status


def pair(jobs: Jobs) -> tuple[Job, Job]:
    """A job in an encoder's hands, and its twin."""
    one, other = queued(jobs), queued(jobs)
    claim = jobs.take("token", LEASE_S)
    assert claim is not None
    leader, twin = (one, other) if claim.job.id == one.id else (other, one)
    assert jobs.take("token-2", LEASE_S) is None
    return leader, twin


def end(jobs: Jobs, made: Job, result: Result = RESULT) -> None:
    jobs.end(made.at(succeeded(status(jobs, made), result, 1.0)))


def test_work_that_is_being_done_is_not_given_out_again(jobs: Jobs) -> None:
    leader, twin = pair(jobs)
    assert [each.id for each in jobs.twins(leader.id)] == [twin.id]
    assert status(jobs, twin).state == "running"
    assert (jobs.queued(), jobs.running()) == (0, 2)


def test_other_work_and_work_that_shares_nothing_is(jobs: Jobs) -> None:
    for work in ("one", "another", "", ""):
        queued(jobs, work)
    assert [jobs.take("token", LEASE_S) is not None for _ in range(5)] == [True] * 4 + [False]


def test_a_twin_sees_the_progress_of_the_job_it_runs_along_with(jobs: Jobs) -> None:
    leader, twin = pair(jobs)
    jobs.report(leader.id, "token", {"stage": "encode", "progress": 40}, LEASE_S)
    jobs.report(leader.id, "token", {"progress": 60}, LEASE_S)
    assert [(each.stage, each.progress) for each in jobs.since(twin.id, 2) or []] == [("encode", 40), ("encode", 60)]


def test_who_comes_later_begins_where_the_other_is(jobs: Jobs) -> None:
    leader, _ = pair(jobs)
    jobs.report(leader.id, "token", {"stage": "encode", "progress": 40}, LEASE_S)
    late = queued(jobs)
    assert jobs.take("token-3", LEASE_S) is None
    assert (status(jobs, late).stage, status(jobs, late).progress) == ("encode", 40)
    assert len(jobs.twins(leader.id)) == 2


def test_a_twin_that_got_the_result_has_its_own_end(jobs: Jobs) -> None:
    leader, twin = pair(jobs)
    end(jobs, twin)
    assert (status(jobs, twin).state, status(jobs, leader).state) == ("succeeded", "running")
    end(jobs, leader)
    assert status(jobs, twin).state == "succeeded" and jobs.queued() == 0


@pytest.mark.parametrize("how", ["cancelled", "erased", "lost", "ended without it"])
def test_a_twin_that_is_left_alone_is_queued_again_and_leads(jobs: Jobs, how: str) -> None:
    leader, twin = pair(jobs)
    jobs.report(leader.id, "token", {"stage": "encode", "progress": 40}, LEASE_S)
    if how == "cancelled":
        jobs.end(leader.at(cancelled(status(jobs, leader), 1.0)))
    elif how == "erased":
        jobs.forget(leader.id)
    elif how == "lost":
        jobs.requeue(leader.id)
    else:
        end(jobs, leader)
    assert (status(jobs, twin).state, status(jobs, twin).progress) == ("queued", 0)
    if how == "lost":
        jobs.end(leader.at(cancelled(status(jobs, leader), 1.0)))
    claim = jobs.take("token-3", LEASE_S)
    assert claim is not None and claim.job.id == twin.id and claim.job.status.attempt == 1


def test_a_cancelled_twin_stays_cancelled_and_the_other_goes_on(jobs: Jobs) -> None:
    leader, twin = pair(jobs)
    jobs.end(twin.at(cancelled(status(jobs, twin), 1.0)))
    assert jobs.twins(leader.id) == []
    assert jobs.report(leader.id, "token", {"progress": 70}, LEASE_S)
    end(jobs, leader)
    assert (status(jobs, twin).state, status(jobs, leader).state) == ("cancelled", "succeeded")
    assert jobs.queued() == 0


def test_a_lost_encoder_loses_twins_too_and_nothing_is_taken_twice(jobs: Jobs) -> None:
    one, other = queued(jobs), queued(jobs)
    assert jobs.take("token", 0.001) is not None and jobs.take("token-2", 0.001) is None
    for job_id in (one.id, other.id):
        jobs.requeue(job_id)
    assert jobs.queued() == 2
    assert jobs.take("token-3", LEASE_S) is not None
    assert jobs.take("token-4", LEASE_S) is None
    assert jobs.running() == 2


def test_jobs_that_succeeded_are_found_by_their_work_until_they_are_erased(jobs: Jobs) -> None:
    leader, twin = pair(jobs)
    end(jobs, twin)
    end(jobs, leader)
    assert set(jobs.same("same work")) == {leader.id, twin.id}
    jobs.forget(leader.id)
    assert jobs.same("same work") == [twin.id]
    assert jobs.same("other work") == jobs.same("") == []


def test_whoever_takes_a_job_is_told_of_its_equals(jobs: Jobs) -> None:
    first = queued(jobs)
    claim = jobs.take("token", LEASE_S)
    assert claim is not None and claim.same == ()
    end(jobs, first)
    second, other = queued(jobs), queued(jobs, "other work")
    seen = [jobs.take(token, LEASE_S) for token in ("token-2", "token-3")]
    assert {each.job.id: each.same for each in seen if each} == {second.id: (first.id,), other.id: ()}


def test_what_has_an_equal_that_succeeded_is_left_to_whoever_submits_it(jobs: Jobs) -> None:
    first = job()
    first = replace(first, manifest=replace(first.manifest, work="same work"))
    submitted = jobs.submit(first, limit=1)
    assert submitted is not None and submitted.job.status.position == 0
    assert jobs.take("token", LEASE_S) is not None
    end(jobs, first)
    equal, unlike, plain = (
        replace(each, manifest=replace(each.manifest, work=work)) for each, work in ((job(), "same work"), (job(), "new"), (job(), ""))
    )
    before = jobs.overview().totals
    assert jobs.submit(equal, limit=1) is None
    assert (jobs.find(equal.id), jobs.queued(), jobs.overview().totals) == (None, 0, before)
    assert jobs.submit(unlike, limit=2) is not None and jobs.submit(plain, limit=2) is not None
    with pytest.raises(errors.QueueFull):
        jobs.submit(replace(equal, manifest=replace(equal.manifest, work="newer")), limit=2)
    assert jobs.submit(first, limit=1) is not None, "a job that is known is told of"


def test_an_end_waits_for_the_twins_where_that_is_asked_for(jobs: Jobs) -> None:
    leader, twin = pair(jobs)
    done = leader.at(succeeded(status(jobs, leader), RESULT, 1.0))
    assert jobs.end_alone(done) is None
    assert (status(jobs, leader).state, status(jobs, twin).state) == ("running", "running"), "nothing has changed"
    end(jobs, twin)
    assert jobs.end(done).status.state == "succeeded"
    alone = queued(jobs, "other work")
    assert jobs.take("token", LEASE_S) is not None
    ended = jobs.end_alone(alone.at(succeeded(status(jobs, alone), RESULT, 1.0)))
    assert ended is not None and ended.status.state == "succeeded"


def test_a_passing_job_that_is_not_known_is_left_unknown(jobs: Jobs) -> None:
    made = job()
    passing = replace(made, manifest=replace(made.manifest, is_passing=True))
    before = jobs.overview().totals
    assert jobs.end_alone(passing.at(succeeded(passing.status, RESULT, 1.0))) is None
    assert (jobs.find(passing.id), jobs.overview().totals) == (None, before)
    assert jobs.end_alone(made.at(succeeded(made.status, RESULT, 1.0))) is not None, "another's end is recorded whatever Redis has lost"


def test_a_job_whose_state_is_restored_is_found_by_its_work_too(jobs: Jobs) -> None:
    made = job()
    made = replace(made, manifest=replace(made.manifest, work="old work"))
    jobs.restore(made.at(succeeded(made.status, RESULT, 1.0)))
    assert jobs.same("old work") == [made.id]
