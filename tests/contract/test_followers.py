"""The contract of ``JobQueue`` and ``JobStates`` for equal work: Redis and memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backend import errors
from backend.core.job import Job, Result, Status, cancelled, succeeded
from tests.contract.live import LEASE_S, Live
from tests.fakes.samples import job

RESULT = Result("result-token.webp", 480, "cd" * 32, 16, 12, 1)


def queued(live: Live, work: str = "same work", **given: Any) -> Job:
    made = job(**given)
    made = replace(made, manifest=replace(made.manifest, work_key=work))
    live.queue.enqueue(made, limit=None)
    return made


def status(live: Live, made: Job) -> Status:
    found = live.jobs.find(made.id)
    assert found is not None
    return found.status


def pair(live: Live) -> tuple[Job, Job]:
    """A job in an encoder's hands, and its follower."""
    one, other = queued(live), queued(live)
    claim = live.queue.take("token", LEASE_S)
    assert claim is not None
    leader, follower = (one, other) if claim.job.id == one.id else (other, one)
    assert live.queue.take("token-2", LEASE_S) is None
    return leader, follower


def end(live: Live, made: Job, result: Result = RESULT) -> None:
    live.jobs.end(made.at(succeeded(status(live, made), result, 1.0)))


def test_work_that_is_being_done_is_not_given_out_again(live: Live) -> None:
    leader, follower = pair(live)
    assert [each.id for each in live.jobs.followers(leader.id)] == [follower.id]
    assert status(live, follower).state == "running"
    assert (live.queue.depth(), live.leases.count()) == (0, 2)


def test_other_work_and_work_that_shares_nothing_is(live: Live) -> None:
    for work in ("one", "another", "", ""):
        queued(live, work)
    assert [live.queue.take("token", LEASE_S) is not None for _ in range(5)] == [True] * 4 + [False]


def test_a_follower_sees_the_progress_of_the_job_it_runs_along_with(watched: Live) -> None:
    leader, follower = pair(watched)
    watched.leases.report(leader.id, "token", {"stage": "encode", "progress": 40}, LEASE_S)
    watched.leases.report(leader.id, "token", {"progress": 60}, LEASE_S)
    assert [(each.stage, each.progress) for each in watched.jobs.changes_since(follower.id, 2) or []] == [("encode", 40), ("encode", 60)]


def test_a_follower_is_not_told_of_files_that_it_does_not_have(watched: Live) -> None:
    leader, follower = pair(watched)
    ready = {"file": "result-a.webp", "bytes": 1, "sha256": "ab" * 32, "width": 1, "height": 1, "frames": 1, "format": "webp", "facts": {}}
    seq = status(watched, follower).seq
    watched.leases.report(leader.id, "token", {"results": [ready]}, LEASE_S)
    assert [each.file for each in status(watched, leader).results] == ["result-a.webp"]
    assert status(watched, follower).results == () and status(watched, follower).seq == seq
    watched.leases.report(leader.id, "token", {"results": [ready], "progress": 60}, LEASE_S)
    assert (status(watched, follower).results, status(watched, follower).progress) == ((), 60)
    watched.leases.report(leader.id, "token", {"progress": 70}, LEASE_S)
    assert [each.file for each in status(watched, leader).results] == ["result-a.webp"]


def test_who_comes_later_begins_where_the_other_is(live: Live) -> None:
    leader, _ = pair(live)
    live.leases.report(leader.id, "token", {"stage": "encode", "progress": 40}, LEASE_S)
    late = queued(live)
    assert live.queue.take("token-3", LEASE_S) is None
    assert (status(live, late).stage, status(live, late).progress) == ("encode", 40)
    assert len(live.jobs.followers(leader.id)) == 2


def test_a_follower_that_got_the_result_has_its_own_end(live: Live) -> None:
    leader, follower = pair(live)
    end(live, follower)
    assert (status(live, follower).state, status(live, leader).state) == ("succeeded", "running")
    end(live, leader)
    assert status(live, follower).state == "succeeded" and live.queue.depth() == 0


@pytest.mark.parametrize("how", ["cancelled", "erased", "lost", "ended without it"])
def test_a_follower_that_is_left_alone_is_queued_again_and_leads(live: Live, how: str) -> None:
    leader, follower = pair(live)
    live.leases.report(leader.id, "token", {"stage": "encode", "progress": 40}, LEASE_S)
    if how == "cancelled":
        live.jobs.end(leader.at(cancelled(status(live, leader), 1.0)))
    elif how == "erased":
        live.jobs.forget(leader.id)
    elif how == "lost":
        live.queue.requeue(leader.id)
    else:
        end(live, leader)
    assert (status(live, follower).state, status(live, follower).progress) == ("queued", 0)
    if how == "lost":
        live.jobs.end(leader.at(cancelled(status(live, leader), 1.0)))
    claim = live.queue.take("token-3", LEASE_S)
    assert claim is not None and claim.job.id == follower.id and claim.job.status.attempt == 1


def test_a_cancelled_follower_stays_cancelled_and_the_other_goes_on(live: Live) -> None:
    leader, follower = pair(live)
    live.jobs.end(follower.at(cancelled(status(live, follower), 1.0)))
    assert live.jobs.followers(leader.id) == []
    assert live.leases.report(leader.id, "token", {"progress": 70}, LEASE_S)
    end(live, leader)
    assert (status(live, follower).state, status(live, leader).state) == ("cancelled", "succeeded")
    assert live.queue.depth() == 0


def test_a_lost_encoder_loses_followers_too_and_nothing_is_taken_twice(live: Live) -> None:
    one, other = queued(live), queued(live)
    assert live.queue.take("token", 0.001) is not None and live.queue.take("token-2", 0.001) is None
    for job_id in (one.id, other.id):
        live.queue.requeue(job_id)
    assert live.queue.depth() == 2
    assert live.queue.take("token-3", LEASE_S) is not None
    assert live.queue.take("token-4", LEASE_S) is None
    assert live.leases.count() == 2


def test_jobs_that_succeeded_are_found_by_their_work_until_they_are_erased(live: Live) -> None:
    leader, follower = pair(live)
    end(live, follower)
    end(live, leader)
    assert set(live.jobs.completed_duplicates("same work")) == {leader.id, follower.id}
    live.jobs.forget(leader.id)
    assert live.jobs.completed_duplicates("same work") == [follower.id]
    assert live.jobs.completed_duplicates("other work") == live.jobs.completed_duplicates("") == []


def test_whoever_takes_a_job_is_told_of_its_equals(live: Live) -> None:
    first = queued(live)
    claim = live.queue.take("token", LEASE_S)
    assert claim is not None and claim.duplicates == ()
    end(live, first)
    second, other = queued(live), queued(live, "other work")
    seen = [live.queue.take(token, LEASE_S) for token in ("token-2", "token-3")]
    assert {each.job.id: each.duplicates for each in seen if each} == {second.id: (first.id,), other.id: ()}


def test_what_has_an_equal_that_succeeded_is_left_to_whoever_submits_it(live: Live) -> None:
    first = job()
    first = replace(first, manifest=replace(first.manifest, work_key="same work"))
    submitted = live.queue.submit(first, limit=1)
    assert submitted is not None and submitted.status.position == 0
    assert live.queue.take("token", LEASE_S) is not None
    end(live, first)
    equal, unlike, plain = (
        replace(each, manifest=replace(each.manifest, work_key=work)) for each, work in ((job(), "same work"), (job(), "new"), (job(), ""))
    )
    before = live.counters.overview().totals
    assert live.queue.submit(equal, limit=1) is None
    assert (live.jobs.find(equal.id), live.queue.depth(), live.counters.overview().totals) == (None, 0, before)
    assert live.queue.submit(unlike, limit=2) is not None and live.queue.submit(plain, limit=2) is not None
    with pytest.raises(errors.QueueFull):
        live.queue.submit(replace(equal, manifest=replace(equal.manifest, work_key="newer")), limit=2)
    assert live.queue.submit(first, limit=1) is not None, "a job that is known is told of"


def test_an_end_waits_for_the_followers_where_that_is_asked_for(live: Live) -> None:
    leader, follower = pair(live)
    done = leader.at(succeeded(status(live, leader), RESULT, 1.0))
    assert live.jobs.end_alone(done) is None
    assert (status(live, leader).state, status(live, follower).state) == ("running", "running"), "nothing has changed"
    end(live, follower)
    assert live.jobs.end(done).status.state == "succeeded"
    alone = queued(live, "other work")
    assert live.queue.take("token", LEASE_S) is not None
    ended = live.jobs.end_alone(alone.at(succeeded(status(live, alone), RESULT, 1.0)))
    assert ended is not None and ended.status.state == "succeeded"


def test_an_ephemeral_job_that_is_not_known_is_left_unknown(live: Live) -> None:
    made = job()
    ephemeral = replace(made, manifest=replace(made.manifest, is_ephemeral=True))
    before = live.counters.overview().totals
    assert live.jobs.end_alone(ephemeral.at(succeeded(ephemeral.status, RESULT, 1.0))) is None
    assert (live.jobs.find(ephemeral.id), live.counters.overview().totals) == (None, before)
    assert live.jobs.end_alone(made.at(succeeded(made.status, RESULT, 1.0))) is not None, "another's end is recorded whatever Redis has lost"


def test_a_job_whose_state_is_restored_is_found_by_its_work_too(live: Live) -> None:
    made = job()
    made = replace(made, manifest=replace(made.manifest, work_key="old work"))
    live.jobs.restore(made.at(succeeded(made.status, RESULT, 1.0)), 16)
    assert live.jobs.completed_duplicates("old work") == [made.id]
