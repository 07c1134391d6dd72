"""Several requests for one upload: which one waits, which one closes it, which one is told to try again; and that none corrupts it."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator

import pytest

from backend import errors
from backend.flows import receive_upload
from backend.flows import uploads as flow
from backend.flows.sweep_uploads import sweep
from backend.flows.uploads import PatchRequest
from tests.fakes.samples import image
from tests.fakes.waiting import until
from tests.system.uploads.conftest import Tus

PNG = image("png", 200, 150)


def id_of(path: str) -> str:
    return path.rsplit("/", 1)[-1]


@pytest.mark.usefixtures("impatient")
def test_a_second_writer_is_told_that_the_upload_is_in_use_and_changes_nothing(tus: Tus) -> None:
    path = tus.created(len(PNG))
    with flow.open_writer(tus.context, id_of(path), "") as writer:
        writer.write(PNG[:30])
        response = tus.patch(path, 0, b"x" * 30)
        assert (response.status_code, response.json["code"], response.headers["Retry-After"]) == (423, "bad_request", "1")  # type: ignore[index]
        writer.save(1.0 + tus.here.clock())
    assert tus.offset(path) == 30
    assert tus.source(tus.patch(path, 30, PNG[30:]).headers["Link"]) == PNG


@pytest.mark.usefixtures("impatient")
def test_head_tells_what_is_on_disk_while_somebody_sends(tus: Tus) -> None:
    path = tus.created(len(PNG))
    with flow.open_writer(tus.context, id_of(path), "") as writer:
        writer.write(PNG[:30])
        writer.save(tus.here.clock())
        writer.write(PNG[30:60])
        assert tus.offset(path) == 30


def test_whoever_waits_gets_the_upload_when_the_other_lets_go(tus: Tus) -> None:
    path = tus.created(len(PNG))
    answers: list[int] = []
    with flow.open_writer(tus.context, id_of(path), "") as writer:
        waiting = threading.Thread(target=lambda: answers.append(tus.offset(path)))
        waiting.start()
        until(writer.is_takeover_requested)
        writer.write(PNG[:30])
        writer.save(tus.here.clock())
    waiting.join()
    assert answers == [30]


def test_an_upload_can_be_erased_from_under_its_writer_who_then_hears_that_it_is_gone(tus: Tus) -> None:
    path = tus.created(len(PNG))

    def chunks() -> Iterator[bytes]:
        yield PNG[:30]
        assert tus.ask("DELETE", path).status_code == 204
        yield PNG[30:]

    with pytest.raises(errors.NotFound), flow.open_writer(tus.context, id_of(path), "") as writer:
        flow.append(tus.context, writer, PatchRequest(0), chunks())
    assert tus.jobs() == [] and tus.head(path).status_code == 404


def test_an_upload_that_is_erased_while_it_becomes_a_job_leaves_no_job(tus: Tus) -> None:
    path = tus.created(len(PNG))
    tus.here.server.on_ticket = lambda: tus.uploads.erase(id_of(path)) and None
    assert tus.patch(path, 0, PNG).status_code == 404
    assert tus.jobs() == [] and tus.here.queue.depth() == 0


def test_a_piece_that_breaks_off_counts_as_far_as_it_came(tus: Tus) -> None:
    path = tus.created(len(PNG))

    def chunks() -> Iterator[bytes]:
        yield PNG[:30]
        raise errors.BadRequest("incomplete_body", received_bytes=30)

    with pytest.raises(errors.BadRequest), flow.open_writer(tus.context, id_of(path), "") as writer:
        flow.append(tus.context, writer, PatchRequest(0), chunks())
    assert tus.offset(path) == 30


def test_a_piece_with_a_checksum_that_breaks_off_counts_for_nothing(tus: Tus) -> None:
    path = tus.created(len(PNG))

    def chunks() -> Iterator[bytes]:
        yield PNG[:30]
        raise errors.BadRequest("incomplete_body", received_bytes=30)

    with pytest.raises(errors.BadRequest), flow.open_writer(tus.context, id_of(path), "") as writer:
        flow.append(tus.context, writer, PatchRequest(0, checksum=("sha1", b"x" * 20)), chunks())
    assert tus.offset(path) == 0


def test_a_long_piece_is_kept_on_the_way(tus: Tus) -> None:
    path = tus.created(len(PNG))
    seen = []

    def chunks() -> Iterator[bytes]:
        yield PNG[:30]
        tus.here.clock.advance(receive_upload.CHECKPOINT_S)  # type: ignore[union-attr]
        yield PNG[30:60]
        seen.append(tus.uploads.find(id_of(path))[1].offset_bytes)

    with flow.open_writer(tus.context, id_of(path), "") as writer:
        flow.append(tus.context, writer, PatchRequest(0), chunks())
    assert seen == [60]


def test_bytes_beyond_the_length_end_a_piece_of_unknown_size_before_them(tus: Tus) -> None:
    path = tus.created(40)
    with pytest.raises(errors.TooLarge), flow.open_writer(tus.context, id_of(path), "") as writer:
        flow.append(tus.context, writer, PatchRequest(0), iter([PNG[:30], PNG[30:60]]))
    assert tus.offset(path) == 30


@pytest.mark.parametrize("seed", range(5))
def test_two_writers_who_resume_at_random_end_with_every_byte_right(tus: Tus, seed: int) -> None:
    """Each takes the offset from HEAD, sends a random piece, and starts over when it is refused."""
    path = tus.created(len(PNG))
    refused = []
    both_know_the_same_offset = threading.Barrier(2)

    def send(number: int) -> None:
        dice = random.Random(f"{seed} {number}")
        tus.offset(path)
        both_know_the_same_offset.wait()
        refused.append(tus.patch(path, 0, PNG[:7]).status_code != 204)
        while (offset := tus.offset(path)) < len(PNG):
            response = tus.patch(path, offset, PNG[offset : offset + dice.randrange(1, 60)])
            assert response.status_code in (204, 409, 413, 423), response.text
            refused.append(response.status_code != 204)

    writers = [threading.Thread(target=send, args=(number,)) for number in range(2)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert tus.source(tus.head(path).headers["Link"]) == PNG
    assert len(tus.jobs()) == 1 and True in refused


def test_the_caretaker_erases_what_has_expired_and_spares_the_rest(tus: Tus) -> None:
    old, done = tus.created(len(PNG)), tus.created(len(PNG))
    for each in (old, done):
        tus.patch(each, 0, PNG[:100])
    tus.here.clock.advance(80_000)  # type: ignore[union-attr]
    young = tus.created(len(PNG))
    tus.patch(young, 0, PNG[:100])
    link = tus.patch(done, 100, PNG[100:]).headers["Link"]
    tus.here.clock.advance(10_000)  # type: ignore[union-attr]
    assert sweep(tus.context) >= 100
    assert [tus.head(each).status_code for each in (old, young, done)] == [404, 200, 200]
    assert tus.head(done).headers["Link"] == link
