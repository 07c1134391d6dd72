"""Maintenance: what happens by itself, done by one, again and again without harm."""

from __future__ import annotations

import pytest

from backend import errors
from backend.core.options import Options
from backend.flows import batch, conclude, ingest, scan_store, unqueued
from backend.flows.follow import Follower
from backend.flows.maintenance import ABANDONED_S, DUTY, DUTY_S, EXPIRE_EVERY_S, LEAST_RESCAN_S, UNREAD_RESCAN_S, Janitor, expire, recover
from backend.ports.job_records import JobPage, ManyRead
from tests.fakes.context import MemoryContext
from tests.fakes.samples import image


@pytest.fixture
def janitor(here: MemoryContext) -> Janitor:
    return Janitor(here.context, "me")


def test_an_empty_redis_is_rebuilt_from_the_store(here: MemoryContext, janitor: Janitor) -> None:
    done, waiting, other = here.upload(), None, None
    here.encode()
    waiting, other = here.upload(), here.upload()
    here.server.lose_everything()
    janitor.maintain()
    assert here.duties.epoch() == "me"
    assert here.queue.depth() == 2
    assert {here.find(waiting).status.state, here.find(other).status.state} == {"queued"}
    assert here.jobs.find(done.id) is None
    while here.encode():
        pass
    assert {outcome.state for outcome in (here.store.outcome(each.id) for each in (done, waiting, other)) if outcome} == {"succeeded"}


def test_what_runs_or_waits_already_is_not_queued_by_a_rebuild(here: MemoryContext) -> None:
    here.upload()
    here.upload()
    here.queue.take("token", 60)
    recover(here.context)
    assert (here.queue.depth(), here.leases.count()) == (1, 1)


def test_a_rebuilt_job_seems_newer_than_anything_that_was_seen_of_it(here: MemoryContext) -> None:
    """At most ten changes a second can have been seen since it was made."""
    job = here.upload()
    here.clock.advance(30)
    here.server.lose_everything()
    recover(here.context)
    assert here.find(job).status.seq > 30 * 10


def test_a_rebuild_passes_over_what_has_expired(here: MemoryContext) -> None:
    here.upload()
    here.clock.advance(90_000)
    here.server.lose_everything()
    assert recover(here.context) == 0
    assert here.queue.depth() == 0
    assert expire(here.context) > 0
    assert here.store.entries == {}


def test_what_is_erased_between_a_look_into_the_store_and_one_into_redis_does_not_come_back(here: MemoryContext) -> None:
    """As a conversion in one request is, once it is answered: by a worker that began in its midst it was queued and counted once more."""
    answered = here.upload()
    while here.encode():
        pass
    waiting = here.upload()
    here.server.lose_everything()
    here.store.entries[answered.id].outcome = None  # so it looked when the store was read

    assert recover(here.context, lambda: conclude.erase(here.context, answered)) == 1
    assert (here.queue.depth(), here.find(waiting).status.state) == (1, "queued")
    assert here.jobs.find(answered.id) is None


def test_a_rebuild_that_was_interrupted_begins_again(here: MemoryContext, janitor: Janitor, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = here.upload(), here.upload()
    here.server.lose_everything()
    real, calls = here.queue.enqueue, []

    def breaks_after_one(*arguments: object, **more: object) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise errors.BackendUnavailable(part="redis", retry_after_s=1)
        return real(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(here.queue, "enqueue", breaks_after_one)
    with pytest.raises(errors.BackendUnavailable):
        janitor.maintain()
    assert here.duties.epoch() is None
    janitor.maintain()
    assert here.duties.epoch() == "me"
    assert {here.find(first).status.state, here.find(second).status.state} == {"queued"}


def test_a_rebuild_of_more_jobs_than_fit_into_one_page_forgets_no_expiry(here: MemoryContext) -> None:
    for _ in range(501):
        here.upload()
    while here.encode():
        pass
    here.server.lose_everything()
    recover(here.context)
    here.clock.advance(90_000)
    expire(here.context)
    assert here.store.entries == {}


def test_one_janitor_at_a_time_maintains_and_another_takes_over_when_it_falls_silent(here: MemoryContext, janitor: Janitor) -> None:
    other = Janitor(here.context, "other")
    janitor.maintain()
    here.server.lose_everything()
    here.duties.acquire(DUTY, "me", DUTY_S)
    other.maintain()
    assert here.duties.epoch() is None
    here.clock.advance(DUTY_S + 0.1)
    other.maintain()
    assert here.duties.epoch() == "other"


def test_expired_jobs_are_erased_and_their_bytes_counted(here: MemoryContext) -> None:
    waiting = here.upload()
    here.encode()
    held = here.store.entries[waiting.id].bytes
    younger = MemoryContext.upload(here)
    here.clock.advance(43_200)
    late = here.upload()
    assert expire(here.context) == 0
    here.clock.advance(43_200)
    assert expire(here.context) == held + younger.manifest.source.bytes
    assert set(here.store.entries) == {late.id}
    assert here.jobs.find(waiting.id) is None and here.jobs.find(younger.id) is None
    assert here.queue.depth() == 1
    assert expire(here.context) == 0


def test_many_expired_jobs_go_in_one_round(here: MemoryContext) -> None:
    for _ in range(450):
        here.upload()
    here.clock.advance(90_000)
    expire(here.context)
    assert here.store.entries == {}


def test_the_janitor_erases_what_has_expired_by_itself(here: MemoryContext, janitor: Janitor) -> None:
    here.upload()
    janitor.maintain()
    here.clock.advance(86_400 + EXPIRE_EVERY_S)
    janitor.maintain()
    assert here.store.entries == {}


def test_an_ephemeral_job_that_nobody_fetched_is_erased_soon(here: MemoryContext) -> None:
    here.upload(is_ephemeral=True)
    kept = here.upload()
    here.clock.advance(300)
    expire(here.context)
    assert set(here.store.entries) == {kept.id}


def test_watchers_of_an_expired_job_are_let_go(here: MemoryContext) -> None:
    job = here.upload()
    here.follower.follow(job.id, lambda each: None)
    here.clock.advance(90_000)
    expire(here.context)
    assert here.follower.watched_count() == 0
    assert here.announcements.subscribed == set()


def test_tickets_that_were_lost_are_replaced_while_encoders_idle(here: MemoryContext, janitor: Janitor) -> None:
    for _ in range(3):
        here.upload()
    here.server.lose_tickets()
    janitor.maintain()
    assert here.server.tickets() == 0, "nobody is there"
    here.presence.heartbeat("a", {}, 60)
    here.presence.heartbeat("b", {}, 60)
    janitor.maintain()
    assert here.server.tickets() == 3
    here.server.lose_tickets()
    here.queue.take("token", 60)
    janitor.maintain()
    assert here.server.tickets() == 2
    here.server.lose_tickets()
    here.queue.take("token", 60)
    janitor.maintain()
    assert here.server.tickets() == 0, "whoever is done has a ticket at hand, or is idle then"


def test_idle_encoders_are_left_alone_while_nothing_waits(here: MemoryContext, janitor: Janitor) -> None:
    here.presence.heartbeat("a", {}, 60)
    janitor.maintain()
    assert here.server.tickets() == 0


def test_half_written_uploads_of_a_dead_process_are_tidied(here: MemoryContext, janitor: Janitor) -> None:
    upload = here.store.create_upload()
    upload.write(b"half of an ima")
    janitor.maintain()
    assert here.store.incoming == {upload}
    here.clock.advance(4000)
    janitor.maintain()
    assert here.store.incoming == set()


def test_a_lost_job_that_was_erased_is_forgotten(here: MemoryContext, janitor: Janitor) -> None:
    job = here.upload()
    here.queue.take("dies", 1)
    here.store.erase(job.id)
    here.clock.advance(2)
    janitor.maintain()
    assert here.jobs.find(job.id) is None
    assert here.leases.count() == 0


def test_a_job_that_was_acknowledged_while_redis_was_away_is_queued_when_it_is_back(here: MemoryContext, janitor: Janitor) -> None:
    """It took 111 seconds, and up to 300. Whoever acknowledged it has it queued, also where another process does the maintenance."""
    other = Janitor(here.context, "other")
    other.maintain()
    here.server.is_down = True
    job = here.upload()
    janitor.look_after_store()
    assert list(here.context.unqueued.ids) == [job.id]
    here.server.is_down = False
    janitor.look_after_store()
    assert here.find(job).status.state == "queued" and not here.context.unqueued.ids


def test_a_job_whose_acknowledger_died_during_an_outage_is_found_soon_after_it(here: MemoryContext, janitor: Janitor) -> None:
    janitor.maintain()
    here.server.is_down = True
    job = here.upload()
    here.context.unqueued.ids.clear()
    with pytest.raises(errors.BackendUnavailable):
        janitor.maintain()
    here.server.is_down = False
    janitor.maintain()
    assert here.jobs.find(job.id) is None
    here.clock.advance(2)
    janitor.maintain()
    assert here.find(job).status.state == "queued"


def test_a_job_that_nobody_saw_an_outage_over_is_found_by_the_next_rescan(here: MemoryContext, janitor: Janitor) -> None:
    janitor.maintain()
    here.server.is_down = True
    job = here.upload()
    here.context.unqueued.ids.clear()
    here.server.is_down = False
    janitor.maintain()
    assert here.jobs.find(job.id) is None
    here.clock.advance(LEAST_RESCAN_S + 1)
    janitor.maintain()
    assert here.find(job).status.state == "queued"


def test_more_jobs_than_a_process_remembers_are_found_by_a_scan(here: MemoryContext, janitor: Janitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unqueued, "MOST_REMEMBERED", 3)
    janitor.maintain()
    here.server.is_down = True
    jobs = [here.upload() for _ in range(5)]
    here.server.is_down = False
    assert len(here.context.unqueued.ids) == 3
    janitor.maintain()
    assert {here.find(each).status.state for each in jobs} == {"queued"}


def test_what_was_cancelled_or_erased_before_redis_was_back_is_not_queued(here: MemoryContext, janitor: Janitor) -> None:
    here.server.is_down = True
    cancelled, erased = here.upload(), here.upload()
    conclude.cancel(here.context, cancelled)
    conclude.erase(here.context, erased)
    here.server.is_down = False
    janitor.maintain()
    assert here.queue.depth() == 0 and not here.context.unqueued.ids


def test_a_rebuild_reads_no_ended_job_where_the_listing_shows_its_line(here: MemoryContext) -> None:
    """2 385 jobs cost 15 505 requests."""
    here.store.shows_lines = True
    for _ in range(20):
        here.upload()
    while here.encode():
        pass
    waiting = here.upload()
    here.server.lose_everything()
    assert recover(here.context) == 1
    assert here.store.reads == 1 and here.find(waiting).status.state == "queued"
    here.clock.advance(90_000)
    expire(here.context)
    assert here.store.entries == {}


def test_a_rebuild_goes_on_where_a_killed_janitor_stopped(here: MemoryContext, janitor: Janitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_store, "PAGE", 4)
    monkeypatch.setattr(scan_store, "PART_JOBS", 4)
    jobs = [here.upload() for _ in range(20)]
    here.server.lose_everything()
    janitor.look_after_jobs()
    assert janitor.look_after_store() and janitor.look_after_store()
    assert here.queue.depth() == 8 and here.duties.epoch() is None
    asked, page = [], here.store.job_page
    here.store.job_page = lambda place="", limit=500: (asked.append(place), page(place, limit))[1]  # type: ignore[method-assign]
    here.clock.advance(DUTY_S + 0.1)
    other = Janitor(here.context, "other")
    other.maintain()
    assert "" not in asked and here.duties.epoch() == "other"
    assert {here.find(each).status.state for each in jobs} == {"queued"}


def test_a_janitor_that_hung_does_not_set_back_a_scan_that_another_goes_on_with(
    here: MemoryContext, janitor: Janitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_store, "PAGE", 4)
    monkeypatch.setattr(scan_store, "PART_JOBS", 4)
    for _ in range(20):
        here.upload()
    here.server.lose_everything()
    janitor.look_after_jobs()
    other, page = Janitor(here.context, "other"), here.store.job_page

    def hangs(place: str = "", limit: int = 500) -> JobPage:
        here.store.job_page = page  # type: ignore[method-assign]
        here.clock.advance(DUTY_S + 0.1)
        other.maintain()
        return page(place, limit)

    here.store.job_page = hangs  # type: ignore[method-assign]
    assert not janitor.look_after_store()
    assert here.duties.epoch() == "other" and here.upkeep.scan() is None and here.queue.depth() == 20


def test_while_the_store_is_rebuilt_lost_encoders_are_noticed(here: MemoryContext, janitor: Janitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_store, "PAGE", 4)
    monkeypatch.setattr(scan_store, "PART_JOBS", 4)
    for _ in range(20):
        here.upload()
    here.server.lose_everything()
    janitor.look_after_jobs()
    janitor.look_after_store()
    claim = here.queue.take("dies", 1)
    assert claim is not None
    here.clock.advance(1.1)
    janitor.look_after_jobs()
    assert here.find(claim.job).status.state == "queued" and here.duties.epoch() is None


def test_jobs_that_cannot_be_read_are_looked_for_again_soon_and_keep_no_other(here: MemoryContext, janitor: Janitor) -> None:
    hidden, other = here.upload(), here.upload()
    here.server.lose_everything()
    real = here.store.unfinished
    here.store.unfinished = lambda ids: ManyRead(real([each for each in ids if each != hidden.id]).found, (hidden.id,))  # type: ignore[method-assign]
    janitor.maintain()
    assert here.find(other).status.state == "queued" and here.jobs.find(hidden.id) is None
    here.store.unfinished = real  # type: ignore[method-assign]
    here.clock.advance(UNREAD_RESCAN_S)
    janitor.maintain()
    assert here.find(hidden).status.state == "queued"


def test_jobs_whose_place_in_redis_was_lost_get_it_again(here: MemoryContext, janitor: Janitor) -> None:
    janitor.maintain()
    jobs = [here.upload() for _ in range(5)]
    running = here.queue.take("lives", 60)
    assert running is not None
    for each in jobs:
        here.server.reach().leave_queue(each.id, is_served=True)
    here.server.reach().leases.clear()
    here.clock.advance(6)
    janitor.maintain()
    assert here.queue.depth() == 4 and here.leases.count() == 1


def test_a_job_that_the_queue_names_and_redis_does_not_know_is_read_from_the_store(here: MemoryContext, janitor: Janitor) -> None:
    janitor.maintain()
    job, erased = here.upload(), here.upload()
    here.store.erase(erased.id)
    for each in (job, erased):
        del here.server.reach().known[each.id]
    here.clock.advance(6)
    janitor.maintain()
    assert here.find(job).status.state == "queued" and here.queue.depth() == 1


def test_keys_that_redis_evicted_are_looked_for_in_the_store(here: MemoryContext, janitor: Janitor) -> None:
    here.server.reach().evicted = 1
    janitor.maintain()
    job = here.upload()
    here.server.reach().leave_queue(job.id)
    del here.server.reach().known[job.id]
    here.server.reach().evicted = 2
    for _ in range(3):
        here.clock.advance(2)
        janitor.maintain()
    assert here.find(job).status.state == "queued"


def test_tending_without_redis_says_so_and_can_be_tried_again(here: MemoryContext, janitor: Janitor) -> None:
    here.server.is_down = True
    with pytest.raises(errors.BackendUnavailable):
        janitor.maintain()
    here.server.is_down = False
    janitor.maintain()
    assert here.duties.epoch() == "me"


def test_a_follower_hears_of_a_job_that_was_taken_back(here: MemoryContext, janitor: Janitor) -> None:
    job = here.upload()
    told: list[str] = []
    follower: Follower = here.follower
    follower.follow(job.id, lambda each: told.append(f"{each.status.seq} {each.status.state}"))
    here.queue.take("dies", 1)
    here.clock.advance(2)
    janitor.maintain()
    assert told == ["2 running", "3 queued"]


def test_a_rebuild_counts_only_what_redis_did_not_know_and_queues_the_oldest_first(here: MemoryContext) -> None:
    jobs = []
    for _ in range(5):
        jobs.append(here.upload(client=str(len(jobs))))
        here.clock.advance(1)
    assert recover(here.context) == 0
    here.server.lose_everything()
    here.store.entries = dict(reversed(here.store.entries.items()))
    assert recover(here.context) == 5
    claim = [here.queue.take("token", 60) for _ in jobs]
    assert [each.job.id for each in claim if each] == [each.id for each in jobs]


def test_a_rebuild_in_whose_midst_redis_becomes_empty_again_is_done_again(here: MemoryContext, janitor: Janitor) -> None:
    first, second = here.upload(client="a"), here.upload(client="b")
    here.server.lose_everything()
    real, calls = here.queue.enqueue, []

    def flushed_after_one(*arguments: object, **more: object) -> object:
        calls.append(1)
        if len(calls) == 2:
            here.server.lose_everything()
        return real(*arguments, **more)  # type: ignore[arg-type]

    here.queue.enqueue = flushed_after_one  # type: ignore[assignment, method-assign]
    janitor.maintain()
    assert {here.find(first).status.state, here.find(second).status.state} == {"queued"}
    assert here.duties.epoch() == "me"


def test_a_long_rebuild_keeps_the_duty_so_that_no_other_begins_one(here: MemoryContext, janitor: Janitor) -> None:
    for _ in range(1000):
        here.upload()
    here.server.lose_everything()
    real = here.jobs.find

    def slowly(job_id: str) -> object:
        here.clock.advance(DUTY_S / 600)
        assert here.duties.acquire(DUTY, "other", DUTY_S) is False
        return real(job_id)

    here.jobs.find = slowly  # type: ignore[assignment, method-assign]
    janitor.maintain()
    assert here.queue.depth() == 1000


def test_jobs_of_a_batch_that_never_came_about_do_not_run_and_are_erased_later(here: MemoryContext, janitor: Janitor) -> None:
    """A process was killed between the jobs and the batch: nobody was told of them."""
    left = ingest.keep(here.context, here.receive(), Options(), ingest.Sender(), batch="batch-that-is-not-there")[0]
    whole, jobs = batch.accept(here.context, [here.receive(), here.receive()], Options(), ingest.Sender())
    here.server.lose_everything()
    janitor.maintain()
    assert here.queue.depth() == 2 and all(here.find(each).manifest.batch == whole.id for each in jobs)
    assert here.jobs.find(left.id) is None
    here.clock.advance(ABANDONED_S + 301)
    janitor.maintain()
    assert set(here.store.entries) == {each.id for each in jobs}


def test_one_job_that_cannot_be_erased_keeps_no_other(here: MemoryContext) -> None:
    jobs = [here.upload() for _ in range(3)]
    here.clock.advance(90_000)
    real = here.store.erase

    def broken_for_one(job_id: str) -> int:
        if job_id == jobs[1].id:
            raise errors.BackendUnavailable(part="store", retry_after_s=5)
        return real(job_id)

    here.store.erase = broken_for_one  # type: ignore[method-assign]
    assert expire(here.context) == 2 * jobs[0].manifest.source.bytes
    assert set(here.store.entries) == {jobs[1].id}
    here.store.erase = real  # type: ignore[method-assign]
    assert expire(here.context) > 0 and here.store.entries == {}


def test_a_disk_too_full_for_the_end_of_a_lost_job_does_not_stop_the_retention_that_makes_room(here: MemoryContext, janitor: Janitor) -> None:
    old = here.upload()
    here.clock.advance(86_000)
    lost = here.upload()
    for _ in range(3):
        here.queue.take("dies", 1)
        here.clock.advance(2)
        janitor.maintain()
    here.queue.take("dies", 1)
    here.store.is_full = True
    here.clock.advance(500)
    janitor.maintain()
    assert old.id not in here.store.entries
    here.store.is_full = False
    janitor.maintain()
    assert lost.id in here.store.entries


def test_what_is_freed_is_counted(here: MemoryContext, janitor: Janitor) -> None:
    here.upload()
    half = here.store.create_upload()
    half.write(b"half of an image")
    janitor.maintain()
    here.clock.advance(90_000)
    janitor.maintain()
    assert here.counters.overview().totals["freed_bytes"] == len(image()) + len(b"half of an image")
