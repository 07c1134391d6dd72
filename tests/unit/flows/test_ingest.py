"""Ingest: judged while it comes, durable before it is answered, never lost by a queue that is away."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from backend import errors
from backend.core import formats
from backend.core.job import Result, succeeded
from backend.core.limits import Limits
from backend.core.options import Options
from backend.flows import ingest
from backend.flows.find_job import find
from backend.flows.ingest import AMPLE_ROOM, QUEUE_DEPTH_CACHED_S, Intake, Sender, accept, check_room
from backend.flows.maintenance import recover
from tests.fakes.context import MemoryContext
from tests.fakes.samples import image

PNG = image()


def feed(here: MemoryContext, *chunks: bytes) -> None:
    intake = Intake(here.context)
    try:
        for chunk in chunks:
            intake.feed(chunk)
        intake.finish()
    finally:
        intake.abandon()


def test_an_image_becomes_a_job_with_what_its_header_declares(here: MemoryContext) -> None:
    job = here.upload(client="c", owner="o", options=Options(quality=50))
    source = here.store.manifest(job.id).source
    assert (source.filename, source.bytes, source.format, source.width, source.height, source.frames) == ("cat.png", len(PNG), "png", 16, 12, 1)
    assert source.sha256 == hashlib.sha256(PNG).hexdigest()
    manifest = job.manifest
    assert (manifest.owner, manifest.client, manifest.request_id, manifest.options.quality) == ("o", "c", "request-1", 50)
    assert (manifest.created_at, manifest.expires_at) == (here.clock.now, here.clock.now + 86_400)  # type: ignore[union-attr]
    assert (job.status.state, job.status.seq, job.status.position) == ("queued", 1, 0)
    assert here.server.tickets() == 1


def test_a_job_is_durable_before_it_is_queued_and_queued_before_its_ticket_is_pushed(here: MemoryContext) -> None:
    seen = []
    here.server.publish = lambda job_id, text: seen.append(("queued", list(here.store.events)))
    here.server.on_ticket = lambda: seen.append(("ticket", here.queue.depth()))
    job = here.upload()
    assert seen == [("queued", [f"commit {job.id}"]), ("ticket", 1)]


def test_nothing_is_queued_when_the_store_is_full_at_the_commit(here: MemoryContext) -> None:
    received = here.receive()
    here.store.is_full = True
    with pytest.raises(errors.StorageFull):
        accept(here.context, received, Options(), Sender())
    received.upload.discard()
    assert (here.queue.depth(), here.server.tickets(), here.store.entries, here.store.incoming) == (0, 0, {}, set())


def test_without_redis_a_job_is_accepted_and_later_recovered(here: MemoryContext) -> None:
    here.server.is_down = True
    job = here.upload()
    assert job.status.state == "queued"
    assert here.store.manifest(job.id) == job.manifest
    assert find(here.context, job.id).manifest == job.manifest
    here.server.is_down = False
    assert recover(here.context) == 1
    assert here.queue.depth() == 1
    here.encode()
    assert here.find(job).status.state == "succeeded"


def test_a_full_queue_refuses_and_leaves_nothing_of_the_image() -> None:
    here = MemoryContext(rules={"max_queued_jobs": 2})
    here.upload()
    here.upload()
    with pytest.raises(errors.QueueFull) as raised:
        here.upload()
    assert raised.value.retry_after_s and raised.value.params["limit"] == 2
    assert len(here.store.entries) == 2 and here.store.incoming == set()
    assert here.server.tickets() == 2


def test_a_full_queue_is_told_before_the_body_is_read() -> None:
    here = MemoryContext(rules={"max_queued_jobs": 1})
    check_room(here.context, Sender())
    here.upload()
    with pytest.raises(errors.QueueFull):
        check_room(here.context, Sender())
    here.encode()
    check_room(here.context, Sender())


def test_a_queue_with_much_room_is_asked_once_a_second_and_at_once_when_it_was_full_after_all() -> None:
    here = MemoryContext(rules={"max_queued_jobs": 2 * AMPLE_ROOM})
    asked, queued, used = [], here.queue.depth, here.context.client_uses.look
    here.queue.depth = lambda: asked.append(here.clock()) or queued()  # type: ignore[method-assign, func-returns-value]
    here.context.client_uses.look = lambda client: asked.append(here.clock()) or used(client)  # type: ignore[method-assign, func-returns-value]

    def look() -> int:
        check_room(here.context, Sender())
        return len(asked)

    assert [look(), look()] == [1, 1]
    here.clock.advance(QUEUE_DEPTH_CACHED_S)
    assert [look(), look()] == [2, 2]
    here.clock.advance(-3600)
    assert look() == 3, "a clock that was put back makes nothing young"
    for _ in range(AMPLE_ROOM + 1):
        here.upload()
    here.clock.advance(QUEUE_DEPTH_CACHED_S)
    assert [look(), look()] == [4, 5], "with less room it is asked each time"
    here.clock.advance(QUEUE_DEPTH_CACHED_S)
    while here.encode():
        pass
    assert look() == 6
    for _ in range(2 * AMPLE_ROOM):
        here.upload()
    assert look() == 6
    with pytest.raises(errors.QueueFull):
        here.upload()
    with pytest.raises(errors.QueueFull):
        look()


def test_a_full_store_is_told_before_the_body_is_read_and_a_missing_redis_is_no_reason_to_refuse(here: MemoryContext) -> None:
    here.server.is_down = True
    check_room(here.context, Sender())
    here.store.is_full = True
    with pytest.raises(errors.StorageFull):
        check_room(here.context, Sender())


@pytest.mark.parametrize("chunks", [(), (b"",), (b"", b"")])
def test_an_empty_file_is_named(here: MemoryContext, chunks: tuple[bytes, ...]) -> None:
    with pytest.raises(errors.EmptyFile):
        feed(here, *chunks)
    assert here.store.incoming == set()


def test_what_is_no_image_is_refused_at_the_first_bytes(here: MemoryContext) -> None:
    intake = Intake(here.context)
    with pytest.raises(errors.UnsupportedFormat) as raised:
        intake.feed(b"no image " * 10_000)
    intake.abandon()
    assert raised.value.params == {"accepted": formats.ACCEPTED}


def test_a_known_format_that_is_not_taken_is_refused_by_its_name(here: MemoryContext) -> None:
    with pytest.raises(errors.UnsupportedFormat) as raised:
        feed(here, b"%PDF-1.7\n" + b"x" * 5000)
    assert (raised.value.variant, raised.value.params["format"]) == ("named", "PDF")


def test_bytes_that_come_one_by_one_are_the_same_image(here: MemoryContext) -> None:
    intake = Intake(here.context)
    for position in range(len(PNG)):
        intake.feed(PNG[position : position + 1])
    received = intake.finish()
    assert (received.shape.format, received.shape.width) == ("png", 16)
    intake.abandon()


def test_the_bytes_decide_and_not_the_name(here: MemoryContext) -> None:
    received = here.receive(image("jpeg"), "actually.png")
    assert (received.shape.format, received.filename) == ("jpeg", "actually.png")
    received.upload.discard()


def test_an_image_without_a_name_gets_one_of_its_format(here: MemoryContext) -> None:
    received = here.receive(image("jpeg"), "")
    assert received.filename == "image.jpg"
    received.upload.discard()


@pytest.fixture
def narrow() -> Iterator[MemoryContext]:
    yield MemoryContext(rules={"limits": Limits(upload_bytes=len(PNG), pixels=16 * 12, frames=1)})


def test_just_at_the_limits_an_image_is_taken(narrow: MemoryContext) -> None:
    assert narrow.upload().status.state == "queued"


def test_one_byte_too_many_is_refused_while_it_comes(narrow: MemoryContext) -> None:
    intake = Intake(narrow.context)
    intake.feed(PNG)
    with pytest.raises(errors.TooLarge):
        intake.feed(b"x")
    assert intake.upload.size_bytes == len(PNG)
    intake.abandon()


def test_too_many_declared_pixels_are_refused_before_anything_is_queued() -> None:
    here = MemoryContext(rules={"limits": Limits(pixels=16 * 12 - 1)})
    with pytest.raises(errors.TooManyPixels) as raised:
        here.upload()
    assert raised.value.params["pixels"] == 192
    assert (here.store.entries, here.store.incoming, here.queue.depth()) == ({}, set(), 0)


def test_a_side_that_webp_cannot_have_is_refused_unless_it_is_made_smaller(here: MemoryContext) -> None:
    long = image("png", 16_384, 1)
    received = here.receive(long)
    with pytest.raises(errors.InvalidOption) as raised:
        accept(here.context, received, Options(), Sender())
    assert (raised.value.variant, raised.value.params["limit"]) == ("side", 16_383)
    assert accept(here.context, received, Options(width=100), Sender()).status.state == "queued"


@pytest.mark.parametrize("speed", [0, 1, 2, 3])
def test_an_avif_that_could_not_end_in_time_is_refused_before_it_is_queued_with_what_could(here: MemoryContext, speed: int) -> None:
    received = here.receive(image("png", 6000, 4000))
    with pytest.raises(errors.InvalidOption) as raised:
        accept(here.context, received, Options(format="avif", speed=speed), Sender())
    told = raised.value.params
    assert (raised.value.variant, told["option"], told["limit"]) == ("too_slow", "speed", 60)
    assert here.queue.depth() == 0
    assert accept(here.context, received, Options(format="avif", speed=int(told["suggestion"])), Sender()).status.state == "queued"


@pytest.mark.parametrize("options", [Options(format="avif"), Options(format="avif", speed=0, width=800), Options(format="png"), Options(method=6)])
def test_what_may_end_in_time_is_queued(here: MemoryContext, options: Options) -> None:
    assert accept(here.context, here.receive(image("png", 6000, 4000)), options, Sender()).status.state == "queued"


def test_an_ephemeral_job_lives_no_longer_than_its_encode_may_take_and_some_waiting(here: MemoryContext) -> None:
    manifest = here.upload(is_ephemeral=True).manifest
    assert manifest.is_ephemeral
    assert manifest.expires_at - manifest.created_at == 2 * 60 + ingest.EPHEMERAL_MARGIN_S


def test_ids_are_never_the_same_and_have_128_random_bits() -> None:
    from backend.flows.context import random_id
    from backend.flows.find_job import ID

    ids = {random_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(ID.fullmatch(each) for each in ids)


def test_a_full_queue_tells_when_a_tenth_of_it_will_have_gone() -> None:
    here = MemoryContext(rules={"max_queued_jobs": 30})
    for _ in range(30):
        here.upload()
    with pytest.raises(errors.QueueFull) as raised:
        check_room(here.context, Sender())
    assert raised.value.retry_after_s == 60, "nothing has ended in the last minute: nobody knows"
    while here.encode():
        pass
    for _ in range(30):
        here.upload()
    with pytest.raises(errors.QueueFull) as raised:
        check_room(here.context, Sender())
    assert raised.value.retry_after_s == 6, "thirty a minute: three go in six seconds"


def test_a_gateway_that_was_idle_till_its_queue_was_full_goes_by_its_encoders_and_their_newest_conversions() -> None:
    here = MemoryContext(rules={"max_queued_jobs": 30})
    for encoder in ("one", "two"):
        here.presence.heartbeat(encoder, {}, 3600)
    here.upload()
    claim = here.queue.take("token", 60)
    assert claim is not None and claim.job.status.started_at is not None
    here.jobs.end(claim.job.at(succeeded(claim.job.status, Result("result-token.webp", 1, "", 1, 1, 1, facts={}), claim.job.status.started_at + 8)))
    here.clock.advance(61)
    for _ in range(30):
        here.upload()
    with pytest.raises(errors.QueueFull) as raised:
        check_room(here.context, Sender())
    assert raised.value.retry_after_s == 12, "three conversions of eight seconds, two at a time"
