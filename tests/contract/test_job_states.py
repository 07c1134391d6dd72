"""The contract of ``JobStates``: Redis and memory."""

from __future__ import annotations

import time
from dataclasses import replace

from backend import errors
from backend.core.job import Status, cancelled, failed, succeeded
from backend.core.options import Options
from backend.core.records import as_dict
from backend.ports.leases import ReportAck
from backend.ports.queue import Claim
from tests.contract.live import LEASE_S, Live, claim, found, queued, result, seqs
from tests.fakes.samples import job, source


def test_a_queued_job_is_found_as_it_was_given(live: Live) -> None:
    made = job(source=source(filename="我的图片 😀.png"), options=Options(quality="auto", width=100), owner="digest", batch=None)
    assert live.queue.enqueue(made, limit=10).status.position == 0
    assert live.jobs.find(made.id) == made.at(replace(made.status, position=0))
    assert live.queue.depth() == 1 and live.leases.count() == 0


def test_an_unknown_job_is_not_found(live: Live) -> None:
    assert live.jobs.find("no-such-job-0000000000") is None
    assert live.jobs.changes_since("no-such-job-0000000000", 0) is None


def test_each_change_raises_seq_by_exactly_one_and_is_logged(watched: Live) -> None:
    made = queued(watched)
    claim(watched)
    assert watched.leases.report(made.id, "token", {"stage": "encode", "progress": 40, "eta_s": 2.5}, LEASE_S) == ReportAck(3, 1)
    assert watched.leases.report(made.id, "token", {"progress": 41, "eta_s": None}, LEASE_S) == ReportAck(4, 1)
    ended = watched.jobs.end(found(watched, made.id).at(succeeded(found(watched, made.id).status, result(), time.time())))
    assert ended.status.seq == 5
    log = watched.jobs.changes_since(made.id, 0)
    assert log is not None
    assert [(each.seq, each.state, each.stage, each.progress, each.eta_s) for each in log] == [
        (1, "queued", None, 0, None),
        (2, "running", "decode", 0, None),
        (3, "running", "encode", 40, 2.5),
        (4, "running", "encode", 41, None),
        (5, "succeeded", None, 100, None),
    ]
    assert log[-1] == ended.status == found(watched, made.id).status


def test_the_log_gives_what_is_newer_than_a_seq(watched: Live) -> None:
    made = queued(watched)
    claim(watched)
    assert seqs(watched, made.id, after=1) == [2]
    assert seqs(watched, made.id, after=2) == []


def test_a_log_that_no_longer_reaches_back_says_so(watched: Live) -> None:
    made = queued(watched)
    claim(watched)
    for number in range(600):
        watched.leases.report(made.id, "token", {"progress": number % 100}, LEASE_S)
    assert watched.jobs.changes_since(made.id, 5) is None
    assert seqs(watched, made.id, after=590)[0] == 591


def test_the_log_of_a_job_with_many_results_takes_no_more_room(watched: Live) -> None:
    made = queued(watched)
    claim(watched)
    ready = [{**as_dict(result()), "file": f"result-{number}.webp", "number": number} for number in range(48)]
    for number in range(200):
        watched.leases.report(made.id, "token", {"results": ready, "progress": number % 100}, LEASE_S)
    seq = found(watched, made.id).status.seq
    kept = watched.jobs.changes_since(made.id, seq - 20) or []
    assert [each.seq for each in kept] == list(range(seq - 19, seq + 1))
    assert watched.jobs.changes_since(made.id, seq - 150) is None
    assert sum(len(each.to_json()) for each in kept) < 20 * 20_000


def test_an_ended_job_stays_ended(live: Live) -> None:
    made = queued(live)
    running = claim(live).job
    first = live.jobs.end(running.at(cancelled(running.status, time.time())))
    again = live.jobs.end(running.at(succeeded(running.status, result(), time.time())))
    assert first.status == again.status and again.status.state == "cancelled"
    assert live.leases.report(made.id, "token", {"progress": 50}, LEASE_S) == ReportAck(0, 0)
    assert live.queue.requeue(made.id) == -1
    live.queue.enqueue(made, limit=None)
    live.jobs.restore(made, 16)
    assert live.leases.readopt(Claim(running, "other"), LEASE_S) is False
    assert found(live, made.id).status == first.status
    assert (live.queue.depth(), live.leases.count()) == (0, 0)


def test_a_job_that_ends_while_it_waits_leaves_the_queue(live: Live) -> None:
    made = queued(live)
    assert live.jobs.end(made.at(cancelled(made.status, time.time()))).status.seq == 2
    assert live.queue.depth() == 0
    assert live.queue.take("token", LEASE_S) is None


def test_an_end_keeps_result_and_facts(live: Live) -> None:
    queued(live)
    running = claim(live).job
    ended = live.jobs.end(running.at(succeeded(running.status, result(), 1_800_000_000.25)))
    assert ended.status.result == result()
    assert ended.status.finished_at == 1_800_000_000.25
    assert ended.status.started_at == running.status.started_at


def test_an_end_keeps_the_record_of_its_error(live: Live) -> None:
    queued(live)
    running = claim(live).job
    error = errors.TooManyPixels(width=9000, height=9000, frames=1, pixels=81_000_000, limit=50_000_000)
    ended = live.jobs.end(running.at(failed(running.status, error, time.time())))
    assert ended.status.error == error.as_record()


def test_the_end_of_a_job_that_is_unknown_here_makes_it_known_as_ended(live: Live) -> None:
    made = job()
    ended = live.jobs.end(made.at(cancelled(replace(made.status, seq=7), time.time())))
    assert found(live, made.id).status == ended.status
    assert ended.status.state == "cancelled" and ended.status.seq >= 7
    assert live.queue.depth() == 0


def test_who_takes_a_job_learns_how_many_watch_it(watched: Live) -> None:
    queued(watched)
    assert claim(watched).listeners == 1


def test_a_job_that_nobody_watches_is_taken_as_such(live: Live) -> None:
    queued(live)
    assert claim(live).listeners == 0


def test_who_comes_to_a_job_that_nobody_watched_finds_every_change(live: Live) -> None:
    made = queued(live)
    claim(live)
    live.leases.report(made.id, "token", {"progress": 40}, LEASE_S)
    assert [(each.seq, each.progress) for each in live.jobs.changes_since(made.id, 0) or ()] == [(1, 0), (2, 0), (3, 40)]


def test_restoring_makes_an_ended_job_known_and_never_changes_a_known_one(live: Live) -> None:
    made = job()
    ended = made.at(cancelled(Status(seq=20), 5.0))
    restored = live.jobs.restore(ended, 16)
    assert restored == ended.at(replace(ended.status, seq=ended.status.seq + 16)) == found(live, made.id)
    assert live.jobs.restore(made.at(cancelled(Status(seq=99), 6.0)), 16) == restored == found(live, made.id)
    assert live.queue.depth() == 0


def test_a_forgotten_job_leaves_no_trace(live: Live) -> None:
    waiting, running = queued(live, expires_at=time.time() + 1), None
    running = queued(live)
    live.jobs.forget(waiting.id)
    claim(live)
    live.jobs.forget(running.id)
    live.jobs.forget("no-such-job-0000000000")
    assert (live.jobs.find(waiting.id), live.jobs.find(running.id)) == (None, None)
    assert (live.queue.depth(), live.leases.count(), live.leases.expired()) == (0, 0, [])
    assert live.index.expired(time.time() + 10_000, 10) == []
    assert live.leases.report(running.id, "token", {"progress": 1}, LEASE_S) is None
