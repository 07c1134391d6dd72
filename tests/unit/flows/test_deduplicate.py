"""Share: equal bytes with equal options are encoded once, and each job keeps what is its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backend.core.conversion import Progress
from backend.core.job import Job
from backend.core.options import Options
from backend.flows import conclude
from tests.fakes.codec import RESULT, ScriptedCodec
from tests.fakes.context import MemoryContext
from tests.fakes.samples import image


@pytest.fixture
def here() -> Iterator[MemoryContext]:
    made = MemoryContext(rules={"shares_results": True})
    yield made
    made.close()


def result_of(here: MemoryContext, job: Job) -> bytes:
    status = here.find(job).status
    assert status.result is not None
    blob = here.store.open_result(job.id, status.result.file)
    try:
        return blob.read_at(0, 1000)
    finally:
        blob.close()


def test_what_was_encoded_before_is_there_at_once(here: MemoryContext) -> None:
    first = here.upload()
    here.encode()
    second = here.upload(options=Options(filename="another name.png"))
    assert second.status.state == "succeeded" and second.status.progress == 100
    assert here.queue.depth() == 0
    assert result_of(here, second) == result_of(here, first) == RESULT


@pytest.mark.parametrize("how", [{"options": Options(quality=10)}, {"owner": "another key"}])
def test_other_options_or_another_key_share_nothing(here: MemoryContext, how: dict[str, object]) -> None:
    here.upload()
    here.encode()
    assert here.upload(**how).status.state == "queued"  # type: ignore[arg-type]


def test_other_bytes_share_nothing(here: MemoryContext) -> None:
    here.upload()
    here.encode()
    intake = here.receive(image("jpeg"), "cat.jpg")
    assert intake.upload.sha256() != here.receive().upload.sha256()


def test_nothing_is_shared_where_the_operator_does_not_want_it() -> None:
    apart = MemoryContext()
    apart.upload()
    apart.encode()
    assert apart.upload().status.state == "queued"
    apart.close()


def test_each_deletion_is_its_own(here: MemoryContext) -> None:
    first = here.upload()
    here.encode()
    second = here.upload()
    conclude.erase(here.context, here.find(first))
    third = here.upload()
    assert third.status.state == "succeeded"
    conclude.erase(here.context, here.find(second))
    assert result_of(here, third) == RESULT
    conclude.erase(here.context, here.find(third))
    assert here.upload().status.state == "queued"


def test_who_comes_while_it_is_encoded_gets_the_same_end_and_its_own_events(here: MemoryContext) -> None:
    first, late = here.upload(), []
    here.server.listeners = lambda _id: 1

    def another() -> None:
        late.append(here.upload())
        assert here.encode() is False

    codec = ScriptedCodec(lambda: here.clock.advance(0.3), Progress("encode", 50), another, lambda: here.clock.advance(0.3), Progress("encode", 80))
    assert here.encode(codec) is True
    assert len(codec.conversions) == 1
    assert here.find(first).status.state == here.find(late[0]).status.state == "succeeded"
    assert result_of(here, late[0]) == RESULT
    assert here.history(late[0]) == ["queued 0", "running encode 49", "running encode 78", "running store 99", "succeeded 100"]


def test_who_cancels_first_takes_the_result_from_nobody(here: MemoryContext) -> None:
    first, late = here.upload(), []

    def another_stays_when_the_first_leaves() -> None:
        late.append(here.upload())
        assert here.encode() is False
        conclude.cancel(here.context, here.find(first))

    here.encode(ScriptedCodec(another_stays_when_the_first_leaves, lambda: here.clock.advance(0.3), Progress("encode", 50)))
    assert here.find(first).status.state == "cancelled"
    assert here.find(late[0]).status.state == "queued"
    assert here.encode() is True
    assert result_of(here, late[0]) == RESULT


def test_a_follower_that_is_cancelled_or_erased_harms_nobody(here: MemoryContext) -> None:
    first, late = here.upload(), []

    def two_come_and_go() -> None:
        late.extend([here.upload(), here.upload()])
        assert here.encode() is False
        conclude.cancel(here.context, here.find(late[0]))
        conclude.erase(here.context, here.find(late[1]))

    here.encode(ScriptedCodec(two_come_and_go))
    assert (here.find(first).status.state, here.find(late[0]).status.state) == ("succeeded", "cancelled")
    assert here.jobs.find(late[1].id) is None
    assert here.store.entries[late[0].id].results == {}


def test_a_lost_redis_costs_an_encode_and_no_job(here: MemoryContext) -> None:
    here.upload()
    here.encode()
    here.server.lose_everything()
    second = here.upload()
    assert second.status.state == "queued"
    here.encode()
    assert result_of(here, second) == RESULT


def test_a_result_that_is_gone_is_made_again(here: MemoryContext) -> None:
    first = here.upload()
    here.encode()
    here.store.entries[first.id].results.clear()
    second = here.upload()
    assert second.status.state == "queued"
    here.encode()
    assert result_of(here, second) == RESULT
