"""The contract of ``Upkeep``: one scan at a time, by whoever has the duty; and what lost its keys is found."""

from __future__ import annotations

import random

from backend.core.job import Job
from backend.core.scan import Scan
from tests.contract.live import Live, claim, queued
from tests.fakes.waiting import until

SCAN = Scan("scan-1", "empty", 1.0)


def holder(live: Live, name: str = "me") -> str:
    assert live.duties.acquire("duty", name, 60)
    return name


def test_a_scan_is_kept_as_far_as_it_came_and_its_end_begins_the_epoch(live: Live) -> None:
    me = holder(live)
    assert live.upkeep.scan() is None
    assert live.upkeep.begin_scan(SCAN, "duty", me)
    further = Scan("scan-1", "empty", 1.0, "place", 500, 3, 1)
    assert live.upkeep.save_scan(further, "duty", me) and live.upkeep.scan() == further
    assert live.duties.epoch() is None
    assert live.upkeep.end_scan(further, "duty", me)
    assert live.upkeep.scan() is None and live.duties.epoch() == me


def test_a_process_without_the_duty_changes_no_scan(live: Live) -> None:
    me = holder(live)
    assert live.upkeep.begin_scan(SCAN, "duty", me)
    for change in (live.upkeep.begin_scan, live.upkeep.save_scan, live.upkeep.end_scan):
        assert not change(Scan("scan-1", "empty", 1.0, "far"), "duty", "another")
    assert live.upkeep.scan() == SCAN and live.duties.epoch() is None


def test_a_scan_that_another_replaced_is_neither_saved_nor_ended(live: Live) -> None:
    me = holder(live)
    live.upkeep.begin_scan(SCAN, "duty", me)
    live.upkeep.begin_scan(Scan("scan-2", "outage", 2.0), "duty", me)
    assert not live.upkeep.save_scan(SCAN, "duty", me) and not live.upkeep.end_scan(SCAN, "duty", me)
    assert live.duties.epoch() is None


def test_a_scan_that_is_asked_for_is_due_after_its_time_and_done_when_one_begins(live: Live) -> None:
    live.upkeep.want_scan("outage", 60)
    live.upkeep.want_scan("evicted", 0)
    assert live.upkeep.wanted_scan() == "", "the first to ask says when"
    assert live.upkeep.begin_scan(SCAN, "duty", holder(live))
    live.upkeep.want_scan("evicted", 0)
    until(lambda: live.upkeep.wanted_scan() == "evicted")
    assert live.upkeep.begin_scan(SCAN, "duty", "me") and live.upkeep.wanted_scan() == ""


def test_a_failing_round_keeps_when_one_succeeded_last(live: Live) -> None:
    assert live.upkeep.notes().rounds == {}
    live.upkeep.note("store")
    live.upkeep.note("rounds", "redis")
    live.upkeep.note("store", "store")
    rounds = live.upkeep.notes().rounds
    assert rounds["store"][0] < 5 and rounds["store"][1] == "store"
    assert rounds["rounds"] == (float("inf"), "redis")
    live.upkeep.note("store")
    assert live.upkeep.notes().rounds["store"][1] == ""


def test_what_is_where_it_belongs_is_no_stray(live: Live) -> None:
    waiting, ended = [queued(live) for _ in range(3)], queued(live)
    live.jobs.forget(ended.id)
    claim(live)
    signs = live.upkeep.signs()
    assert (signs.waiting, signs.queued, signs.indexed) == (2, 2, 3)
    assert live.upkeep.strays(0)[1] == [] and live.upkeep.lost() == []
    assert live.upkeep.mend([each.id for each in waiting]) == 0


def test_the_number_that_orders_jobs_is_never_less_than_it_was(live: Live) -> None:
    queued(live)
    known = live.upkeep.signs().serial
    assert live.upkeep.signs(known).serial == known
    assert live.upkeep.signs(known + 1000).serial > known + 1000


def test_no_waiting_job_is_taken_for_a_stray_whatever_happened_to_the_queue(live: Live) -> None:
    """One that was put in its place again each time would never be served."""
    chosen = random.Random(7)
    jobs: list[Job] = []
    for step in range(150):
        client = f"client-{chosen.randrange(3)} line-{chosen.randrange(3)}{chosen.choice(['', ' waits'])}"
        jobs.append(queued(live, client, batch=chosen.choice([None, "batch"])))
        if step % 2:
            taken = claim(live).job
            if step % 6 == 1:
                live.queue.requeue(taken.id)
        if step % 5 == 0:
            live.jobs.forget(chosen.choice(jobs).id)
        assert live.upkeep.strays(0) == (0, []) and live.upkeep.lost() == []
