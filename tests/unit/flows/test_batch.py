"""A batch: all of its images become jobs or none, and it is found, followed and stopped as one."""

from __future__ import annotations

import threading

import pytest

from backend import errors
from backend.core.batch import Batch
from backend.core.job import Job
from backend.core.options import Options
from backend.flows import batch, conclude
from backend.flows.ingest import Received, Sender
from backend.flows.queue_later import queue_remembered
from tests.fakes.context import MemoryContext
from tests.fakes.samples import next_id

SENDER = Sender("owner", "client", "request-1")


def accept(here: MemoryContext, count: int = 3) -> tuple[Batch, list[Job]]:
    return batch.accept(here.context, images(here, count), Options(), SENDER)


def images(here: MemoryContext, count: int) -> list[Received]:
    return [here.receive(filename=f"{number}.png") for number in range(count)]


def test_each_image_is_a_job_of_the_batch_in_the_order_given(here: MemoryContext) -> None:
    whole, jobs = accept(here)
    assert [each.manifest.source.filename for each in jobs] == ["0.png", "1.png", "2.png"]
    assert whole.jobs == tuple(each.id for each in jobs) and {each.manifest.batch for each in jobs} == {whole.id}
    assert here.queue.depth() == 3 and here.server.tickets() == 3


def test_the_batch_is_on_disk_after_its_jobs_and_before_any_of_them_is_queued(here: MemoryContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that whoever recovers can tell a whole batch from half of one."""
    order: list[str] = []
    for port, name in ((here.store, "commit_job"), (here.store, "save_batch"), (here.queue, "enqueue")):
        real = getattr(port, name)
        monkeypatch.setattr(port, name, lambda *given, real=real, name=name, **more: (order.append(name), real(*given, **more))[1])
    accept(here, 2)
    assert order == ["commit_job", "commit_job", "save_batch", "enqueue", "enqueue"]


@pytest.mark.parametrize("fails", ["commit_job", "save_batch", "enqueue"])
def test_a_batch_that_fails_halfway_leaves_no_job(here: MemoryContext, monkeypatch: pytest.MonkeyPatch, fails: str) -> None:
    port = here.queue if fails == "enqueue" else here.store
    kind = errors.QueueFull(limit=1, retry_after_s=1) if fails == "enqueue" else errors.StorageFull()
    real, calls = getattr(port, fails), []

    def call(*given: object, **more: object) -> object:
        calls.append(1)
        if len(calls) == (1 if fails == "save_batch" else 2):
            raise kind
        return real(*given, **more)

    monkeypatch.setattr(port, fails, call)
    received = images(here, 3)
    with pytest.raises(type(kind)):
        batch.accept(here.context, received, Options(), SENDER)
    for each in received:
        each.upload.discard()
    assert here.store.entries == {} and here.queue.depth() == 0 and here.store.incoming == set()


@pytest.mark.parametrize("died_after", ["commit_job", "save_batch", "enqueue"])
def test_a_batch_whose_gateway_died_over_it_is_queued_when_its_client_tries_again(
    here: MemoryContext, monkeypatch: pytest.MonkeyPatch, died_after: str
) -> None:
    batch_id, received, port = next_id(), images(here, 3), here.queue if died_after == "enqueue" else here.store
    real = getattr(port, died_after)

    def call(*given: object, **more: object) -> None:
        real(*given, **more)
        raise KeyboardInterrupt  # what no handler of the flow mends

    with monkeypatch.context() as patch:
        patch.setattr(port, died_after, call)
        with pytest.raises(KeyboardInterrupt):
            batch.accept(here.context, received, Options(), SENDER, batch_id=batch_id)
    batch.accept(here.context, images(here, 3), Options(), SENDER, batch_id=batch_id)
    queue_remembered(here.context)
    assert here.queue.depth() == 3 and here.server.tickets() == 3


def test_it_is_its_owners_and_until_it_expires(here: MemoryContext) -> None:
    whole, jobs = accept(here)
    found, known = batch.find_batch(here.context, whole.id, "owner")
    assert (found, [each.id for each in known]) == (whole, [each.id for each in jobs])
    for batch_id, owner in ((whole.id, "other"), (next_id(), "owner"), ("../x", "owner")):
        with pytest.raises(errors.NotFound):
            batch.find_batch(here.context, batch_id, owner)
    here.clock.advance(86_400)
    with pytest.raises(errors.NotFound):
        batch.find_batch(here.context, whole.id, "owner")


def test_a_deleted_job_is_no_longer_one_of_it(here: MemoryContext) -> None:
    whole, jobs = accept(here)
    conclude.erase(here.context, jobs[1])
    assert [each.id for each in batch.find_batch(here.context, whole.id, "owner")[1]] == [jobs[0].id, jobs[2].id]


def test_cancelling_ends_what_has_not_ended_and_leaves_the_rest(here: MemoryContext) -> None:
    _, jobs = accept(here)
    here.encode()
    ended = batch.cancel(here.context, jobs)
    assert sorted(each.status.state for each in ended) == ["cancelled", "cancelled", "succeeded"]


def test_a_watcher_hears_of_every_change_at_once_when_there_are_few_and_of_the_last_always(here: MemoryContext) -> None:
    whole, _ = accept(here, 2)
    told: list[list[str]] = []
    watch = batch.BatchWatch(here.context, here.follower, whole, lambda jobs: told.append(sorted(each.status.state for each in jobs)))
    assert [each.status.state for each in watch.begin()] == ["queued", "queued"]
    for _ in range(2):
        here.clock.advance(1)
        here.encode()
    assert told[0] == ["queued", "running"] and told[-1] == ["succeeded", "succeeded"]
    watch.close()
    assert here.follower.watched_count() == 0


def test_changes_that_come_too_quickly_are_told_together_a_moment_later(here: MemoryContext) -> None:
    whole, _ = accept(here, 2)
    told: list[list[str]] = []
    heard = threading.Event()

    def tell(jobs: list[Job]) -> None:
        told.append([each.status.state for each in jobs])
        if len(told) == 2:
            heard.set()

    watch = batch.BatchWatch(here.context, here.follower, whole, tell)
    watch.begin()
    here.clock.advance(1)
    here.queue.take("a", 60)
    here.queue.take("b", 60)
    assert told == [["running", "queued"]]
    assert heard.wait(30)
    assert told == [["running", "queued"], ["running", "running"]]
    watch.close()


def test_nothing_is_told_after_the_watch_was_closed(here: MemoryContext) -> None:
    whole, _ = accept(here, 2)
    told: list[object] = []
    watch = batch.BatchWatch(here.context, here.follower, whole, told.append)
    watch.begin()
    watch.close()
    here.encode()
    assert told == []
