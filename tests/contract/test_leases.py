"""The contract of ``Leases``: Redis and memory."""

from __future__ import annotations

from backend.core.job import Status, succeeded
from backend.ports.leases import ReportAck
from backend.ports.queue import Claim
from tests.contract.live import LEASE_S, NO_TIME_S, Live, claim, found, queued, result, seqs
from tests.fakes.samples import job
from tests.fakes.waiting import until


def test_renewing_a_lease_is_no_change(watched: Live) -> None:
    made = queued(watched)
    claim(watched)
    assert watched.leases.report(made.id, "token", {}, LEASE_S) == ReportAck(2, 0)
    assert seqs(watched, made.id) == [1, 2]


def test_of_an_ephemeral_job_nothing_is_told_but_its_end(watched: Live) -> None:
    made = queued(watched, is_ephemeral=True)
    running = claim(watched)
    assert watched.leases.report(made.id, "token", {"stage": "encode", "progress": 40}, LEASE_S) == ReportAck(running.job.status.seq, 0)
    assert found(watched, made.id).status == running.job.status
    ended = watched.jobs.end(running.job.at(succeeded(running.job.status, result(), 5.0)))
    assert seqs(watched, made.id) == [1, 2, 3] and ended.status.seq == 3


def test_a_report_under_a_stale_token_is_refused_and_changes_nothing(live: Live) -> None:
    made = queued(live)
    claim(live, "mine")
    assert live.leases.report(made.id, "another's", {"progress": 99}, LEASE_S) == ReportAck(0, 0)
    assert found(live, made.id).status.progress == 0


def test_a_report_on_a_job_that_is_unknown_here_returns_none(live: Live) -> None:
    assert live.leases.report("no-such-job-0000000000", "token", {"progress": 1}, LEASE_S) is None


def test_a_lease_that_runs_out_loses_the_job_and_one_that_is_renewed_does_not(live: Live) -> None:
    lost, kept = queued(live), queued(live)
    claim(live, "one", NO_TIME_S)
    claim(live, "two", NO_TIME_S)
    live.leases.report(kept.id, "two", {}, LEASE_S)
    assert until(live.leases.expired) == [lost.id]


def test_a_running_job_is_adopted_after_the_state_was_lost(live: Live) -> None:
    running = job().at(Status(seq=17, state="running", stage="encode", progress=60, attempt=1))
    assert live.leases.readopt(Claim(running, "mine"), LEASE_S) is True
    assert found(live, running.id).status.progress == 60
    assert live.leases.report(running.id, "mine", {"progress": 61}, LEASE_S) == ReportAck(18, 0)
    assert live.leases.count() == 1


def test_of_two_encoders_that_adopt_a_job_only_the_first_may(live: Live) -> None:
    running = job().at(Status(seq=17, state="running", attempt=1))
    assert live.leases.readopt(Claim(running, "quick"), LEASE_S) is True
    assert live.leases.readopt(Claim(running, "slow"), LEASE_S) is False
    assert live.leases.report(running.id, "slow", {"progress": 1}, LEASE_S) == ReportAck(0, 0)


def test_a_job_that_was_queued_again_meanwhile_is_adopted_out_of_the_queue(live: Live) -> None:
    made = job()
    live.queue.enqueue(made.at(Status(seq=30)), limit=None)
    assert live.leases.readopt(Claim(made.at(Status(seq=17, state="running", stage="encode", progress=60, attempt=1)), "mine"), LEASE_S) is True
    assert live.queue.depth() == 0
    status = found(live, made.id).status
    assert (status.seq, status.state, status.progress) == (31, "running", 60)


def test_a_job_that_is_put_off_is_nobodys_until_its_pause_is_over(live: Live) -> None:
    made = queued(live)
    claim(live, "mine")
    assert live.leases.pause(made.id, "mine", (NO_TIME_S,)) == 0
    assert (found(live, made.id).status.state, live.queue.depth(), live.queue.requeue(made.id, only_paused=True)) == ("running", 0, 0)
    claim(live, "next")
    assert live.leases.pause(made.id, "next", (LEASE_S,)) == 0
    assert live.leases.expired() == []
    assert live.leases.report(made.id, "next", {}, LEASE_S) == ReportAck(0, 0)


def test_a_pause_runs_out_as_a_lease_does_and_costs_no_attempt(live: Live) -> None:
    made = queued(live)
    for number in range(5):
        assert claim(live, f"try-{number}").job.status.attempt == 1
        live.leases.pause(made.id, f"try-{number}", (NO_TIME_S,))
        assert until(live.leases.expired) == [made.id]
        assert live.queue.requeue(made.id, only_paused=True) == 0
        assert (found(live, made.id).status.state, found(live, made.id).status.position) == ("queued", 0)


def test_only_the_encoder_that_holds_a_job_may_put_it_off(live: Live) -> None:
    made = queued(live)
    assert live.leases.pause(made.id, "", (LEASE_S,)) is None
    claim(live, "mine")
    assert live.leases.pause(made.id, "another's", (LEASE_S,)) is None
    assert live.leases.pause("no-such-job-0000000000", "mine", (LEASE_S,)) is None
    assert live.queue.requeue(made.id, only_paused=True) == -1


def test_deaths_of_the_child_add_up_over_all_encoders(live: Live) -> None:
    made = queued(live)
    deaths = []
    for token in ("one", "two", "three"):
        claim(live, token)
        deaths.append(live.leases.pause(made.id, token, (NO_TIME_S,), died=2))
        live.queue.requeue(made.id)
    assert deaths == [2, 4, 6]


def test_encoders_that_were_lost_are_counted_until_they_come_back(live: Live) -> None:
    made = queued(live)
    losses = []
    for token in ("first-1", "second-2", "third-3", "third-33"):
        claim(live, token)
        losses.append(live.queue.requeue(made.id))
    live.leases.acquit(made.id, "third-3")
    live.leases.acquit(made.id, "nobody")
    live.leases.acquit("no-such-job-0000000000", "first-1")
    claim(live, "fourth")
    losses.append(live.queue.requeue(made.id))
    assert losses == [1, 2, 3, 4, 4]


def test_a_job_over_which_encoders_are_lost_again_and_again_lets_others_go_before_it(live: Live) -> None:
    made = queued(live)
    others = [queued(live, client="other") for _ in range(2)]
    for number in range(3):
        assert claim(live, f"lost-{number}").job.id == made.id
        live.queue.requeue(made.id)
    assert {claim(live, f"next-{number}").job.id for number in range(2)} >= {others[0].id}
    assert found(live, made.id).status.state in ("queued", "running")
