"""A job with variants: each is stored and told when it is there, shared with equal jobs, and found by its width and format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from backend import errors
from backend.core import options
from backend.core.conversion import ChildDied, Conversion, Converted, Variants
from backend.core.job import Job
from backend.core.options import Options
from backend.core.pauses import DEATH_PAUSES_S
from backend.flows import deliver
from backend.flows.conclude import cancel
from backend.flows.deliver import Choice
from backend.flows.maintenance import Janitor
from tests.fakes.codec import RESULT, ScriptedCodec
from tests.fakes.context import MemoryContext

ASKED = options.parse([("widths", "640,320"), ("formats", "avif,webp")])


class WatchedCodec(ScriptedCodec):
    """Calls ``look`` after each variant."""

    def __init__(self, look, **facts) -> None:  # type: ignore[no-untyped-def]
        super().__init__(**facts)
        self._look = look

    def _make(self, variants: Variants, number: int, conversion: Conversion, converted: Converted) -> Converted:
        made = super()._make(variants, number, conversion, converted)
        self._look(number)
        return made


@pytest.fixture
def here() -> Iterator[MemoryContext]:
    made = MemoryContext(rules={"shares_results": True})
    yield made
    left_open = list(made.store.open_files)
    made.close()
    assert left_open == []


def delivered(here: MemoryContext, job: Job, choice: Choice = Choice()) -> bytes:
    _, blob = deliver.result(here.context, here.find(job), choice)
    try:
        return blob.read_at(0, 1000)
    finally:
        blob.close()


def test_each_is_delivered_while_the_next_is_made(here: MemoryContext) -> None:
    job = here.upload(options=ASKED)
    seen: list[tuple[int, int, int]] = []

    def look(number: int) -> None:
        status = here.find(job).status
        seen.append((number, len(status.results), status.seq))
        width, image_format = (640, 320)[number % 2], ("avif", "webp")[number // 2]
        assert delivered(here, job, Choice(width, image_format)) == RESULT + bytes([number])
        assert status.state == "running" and status.result is None

    assert here.encode(WatchedCodec(look))
    assert [each[:2] for each in seen] == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert [each[2] for each in seen] == sorted({each[2] for each in seen})
    status = here.find(job).status
    assert status.state == "succeeded" and status.result == status.results[0]
    assert delivered(here, job) == RESULT + bytes([0])


def test_what_is_not_there_yet_is_not_ready_and_what_was_not_asked_for_is_not_found(here: MemoryContext) -> None:
    job = here.upload(options=ASKED)
    with pytest.raises(errors.NotReady):
        deliver.result_of(here.find(job), Choice(640, "avif"))
    with pytest.raises(errors.NotFound):
        deliver.result_of(here.find(job), Choice(640, "png"))
    here.encode(ScriptedCodec())
    for choice in (Choice(641), Choice(640, "png")):
        with pytest.raises(errors.NotFound):
            deliver.result_of(here.find(job), choice)
    assert deliver.result_of(here.find(job), Choice(format="webp")).number == 2
    assert deliver.result_of(here.find(job), Choice(320)).number == 1


def test_a_plain_result_is_found_by_its_own_width_and_format(here: MemoryContext) -> None:
    job = here.upload(options=Options(width=8))
    here.encode(ScriptedCodec())
    known = here.find(job)
    assert deliver.result_of(known, Choice(8, "webp")) == deliver.result_of(known, Choice(16)) == known.status.result
    with pytest.raises(errors.NotFound):
        deliver.result_of(known, Choice(9))


def test_those_that_are_there_stay_when_the_rest_fails(here: MemoryContext) -> None:
    job = here.upload(options=ASKED)

    def look(number: int) -> None:
        if number == 1:
            raise errors.DamagedImage()

    here.encode(WatchedCodec(look))
    status = here.find(job).status
    assert status.state == "failed" and [each.number for each in status.results] == [0, 1]
    assert delivered(here, job, Choice(320, "avif")) == RESULT + bytes([1])
    with pytest.raises(errors.Gone):
        deliver.result_of(here.find(job), Choice(320, "webp"))


def test_those_that_are_there_stay_when_it_is_cancelled(here: MemoryContext) -> None:
    job = here.upload(options=ASKED)
    here.encode(WatchedCodec(lambda number: number == 0 and cancel(here.context, here.find(job))))
    assert here.find(job).status.state == "cancelled"
    assert delivered(here, job, Choice(640, "avif")) == RESULT + bytes([0])


def test_a_second_encoder_makes_all_of_them_again(here: MemoryContext) -> None:
    job = here.upload(options=ASKED)

    def die(number: int) -> None:
        if number == 2:
            raise ChildDied("killed")

    here.encode(WatchedCodec(die))
    assert [each.number for each in here.find(job).status.results] == [0, 1, 2]
    here.clock.advance(max(DEATH_PAUSES_S))
    Janitor(here.context, "me").maintain()
    here.encode(ScriptedCodec())
    status = here.find(job).status
    assert status.state == "succeeded" and [each.number for each in status.results] == [0, 1, 2, 3]
    assert len({each.file for each in status.results}) == 4
    assert set(here.store._entry(job.id).results) == set(status.files)


def test_an_equal_job_gets_all_of_them_and_keeps_them(here: MemoryContext) -> None:
    first, second = here.upload(options=ASKED), here.upload(options=replace(ASKED, filename="other.png"))
    codec = ScriptedCodec()
    while here.encode(codec):
        pass
    assert len(codec.conversions) == 1
    one, other = here.find(first).status, here.find(second).status
    assert [each.sha256 for each in one.results] == [each.sha256 for each in other.results] != []
    here.store.erase(first.id)
    assert delivered(here, second, Choice(320, "webp")) == RESULT + bytes([3])
