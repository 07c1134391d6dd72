"""What the health tells of maintenance: that it works, how long it did not, and which part kept it from that."""

from __future__ import annotations

import pytest

from backend import errors
from backend.flows.maintenance import Janitor
from backend.flows.note_rounds import LATE_S, maintenance_figures
from tests.fakes.context import MemoryContext


def figures(here: MemoryContext) -> dict[str, object]:
    return maintenance_figures(here.upkeep.notes())


def test_before_the_first_round_it_is_starting_and_then_it_is_well(here: MemoryContext) -> None:
    assert figures(here) == {"status": "starting", "seconds_since_round": {}}
    Janitor(here.context, "me").maintain()
    assert figures(here) == {"status": "ok", "seconds_since_round": {"jobs": 0.0, "store": 0.0}}


def test_a_janitor_that_cannot_reach_the_store_says_which_part_fails(here: MemoryContext) -> None:
    janitor = Janitor(here.context, "me")
    janitor.maintain()
    here.clock.advance(400)
    here.store.is_down = True
    with pytest.raises(errors.BackendUnavailable):
        janitor.maintain()
    seen = figures(here)
    assert (seen["status"], seen["failing"]) == ("failing", {"store": "store"})
    assert seen["seconds_since_round"] == {"jobs": 0.0, "store": 400.0}
    here.store.is_down = False
    janitor.maintain()
    assert figures(here)["status"] == "ok"


def test_where_no_process_does_the_maintenance_it_is_late(here: MemoryContext) -> None:
    Janitor(here.context, "me").maintain()
    here.clock.advance(LATE_S["jobs"] + 1)
    assert figures(here)["status"] == "late"


def test_a_scan_under_way_is_told_with_how_far_it_is(here: MemoryContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.flows.scan_store.PAGE", 4)
    monkeypatch.setattr("backend.flows.scan_store.PART_JOBS", 4)
    for _ in range(10):
        here.upload()
    here.server.lose_everything()
    janitor = Janitor(here.context, "me")
    janitor.look_after_jobs()
    janitor.look_after_store()
    assert figures(here)["scan"] == {"why": "empty", "jobs": 4, "queued": 4}


def test_a_redis_that_takes_no_new_work_keeps_the_retention_that_makes_room_going(here: MemoryContext, monkeypatch: pytest.MonkeyPatch) -> None:
    janitor = Janitor(here.context, "me")
    janitor.maintain()
    here.upload()
    here.clock.advance(86_000)
    waiting = here.upload()
    here.server.reach().leave_queue(waiting.id)
    del here.server.reach().known[waiting.id]

    def refuse(*arguments: object, **more: object) -> None:
        raise errors.LiveStateFull(part="redis", retry_after_s=2)

    monkeypatch.setattr(here.queue, "enqueue", refuse)
    here.clock.advance(500)
    with pytest.raises(errors.LiveStateFull):
        janitor.maintain()
    assert set(here.store.entries) == {waiting.id} and figures(here)["failing"] == {"store": "redis"}
