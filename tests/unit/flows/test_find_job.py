"""Finding jobs: in the live state, and in the store once they have left it."""

from __future__ import annotations

import pytest

from backend import errors
from backend.core.job import Job
from backend.flows.find_job import SEQ_MARGIN, find, find_several
from backend.flows.list_jobs import page
from backend.flows.maintenance import Janitor
from backend.flows.queue_later import queue_remembered
from tests.fakes.context import MemoryContext


@pytest.fixture
def ended(here: MemoryContext) -> list[Job]:
    """Five jobs that have ended, of which the live state has forgotten all but the last."""
    here.context.duties.begin_epoch("me")
    made = [here.upload(owner="me", maker="maker") for _ in range(5)]
    while here.encode():
        pass
    for each in made[:-1]:
        here.server.leave(each.id)
    return [here.store_job(each) for each in made]


def test_a_job_that_left_redis_is_found_as_it_was_and_known_again(here: MemoryContext, ended: list[Job]) -> None:
    assert find(here.context, ended[0].id, "me").status == ended[0].status
    assert here.find(ended[0]).status == ended[0].status


def test_a_job_of_which_the_state_was_lost_is_newer_than_what_a_client_may_have_seen(here: MemoryContext, ended: list[Job]) -> None:
    here.server.lose_everything()
    assert find(here.context, ended[0].id, "me").status.seq == ended[0].status.seq + SEQ_MARGIN
    here.server.leave(ended[0].id)
    assert find(here.context, ended[0].id, "me").status.seq == ended[0].status.seq + SEQ_MARGIN


def test_a_job_that_nothing_in_redis_names_is_queued_within_a_second_of_a_look_at_it(here: MemoryContext) -> None:
    here.context.duties.begin_epoch("me")
    job, janitor = here.upload(owner="me"), Janitor(here.context, "me")
    janitor.maintain()
    here.server.reach().leave_queue(job.id)
    del here.server.reach().known[job.id]
    assert find(here.context, job.id, "me").status.state == "queued"
    here.clock.advance(1)
    janitor.maintain()
    assert here.queue.depth() == 1 and here.encode() is not None
    assert find(here.context, job.id, "me").status.state == "succeeded"


def test_a_look_at_an_unended_job_while_redis_hangs_does_not_queue_it_twice(here: MemoryContext) -> None:
    job = here.upload(owner="me")
    here.server.is_down = True
    assert find(here.context, job.id, "me").status.state == "queued"
    here.server.is_down = False
    assert queue_remembered(here.context) == 0 and here.queue.depth() == 1


def test_several_are_found_together_and_never_anothers(here: MemoryContext, ended: list[Job]) -> None:
    assert find_several(here.context, [each.id for each in ended], "me") == {each.id: each for each in ended}
    assert find_several(here.context, [each.id for each in ended], "another") == {}
    with pytest.raises(errors.NotFound):
        find(here.context, ended[0].id, "another")


def test_a_list_shows_what_left_redis_and_reads_no_more_of_the_store_than_it_shows(
    here: MemoryContext, ended: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    real = here.store.manifest
    monkeypatch.setattr(here.store, "manifest", lambda job_id: (read.append(job_id), real(job_id))[1])
    shown, place = page(here.context, "maker", "me", states=("succeeded",), limit=2)
    assert [each.id for each in shown] == [each.id for each in ended[:2:-1]] and place is not None
    assert len(set(read)) <= 3
    rest, place = page(here.context, "maker", "me", limit=10, before=place)
    assert [each.status for each in (*shown, *rest)] == [each.status for each in ended[::-1]] and place is None
    read.clear()
    for each in ended[:-1]:
        here.server.leave(each.id)
    assert page(here.context, "maker", "me", states=("failed",), limit=2) == ([], None)
    assert read == []
