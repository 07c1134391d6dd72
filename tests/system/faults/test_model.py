"""The gateway's flows over a real file store, against a model of what clients were told: whatever is done, fails or dies, in whatever order.

The model is a dictionary. What it says is looked up after every step. By default a few examples with the queue in memory; on demand 200 of 30
steps, with the queue in memory (which may be lost or away) and in a real Redis (which may be emptied).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from backend import errors
from backend.adapters.files.resumable import FileUploads
from backend.adapters.files.store import FileStore
from backend.adapters.redis.live_state import live_state as redis_live_state
from backend.core.client_limits import ClientLimits
from backend.core.conversion import Converted
from backend.core.job import Job
from backend.core.options import Options
from backend.core.resumable import UploadInfo
from backend.flows import batch, conclude, deliver, ingest, maintenance, uploads
from backend.flows.context import Context, random_id
from backend.flows.encode import encode_next
from backend.flows.find_job import find
from backend.flows.ingest import Sender
from backend.flows.uploads import PatchRequest
from backend.ports.live_state import LiveState
from tests.fakes.clock import ShiftedClock
from tests.fakes.codec import RESULT, ScriptedCodec
from tests.fakes.live_state import live_state
from tests.fakes.samples import READER
from tests.fakes.server import MemoryServer
from tests.support.redis_server import RedisServer
from tests.support.stored import manifests
from tests.system.faults.conftest import IN_MEMORY
from tests.system.faults.forked import CALLS
from tests.system.faults.pictures import png

IMAGES = [png(16 + number, 12) for number in range(4)]
KILLED = 137
DAY_S = 86_400
HOUR_S = 3600


@dataclass
class Told:
    """What a client knows of a job. ``end`` is None while it has not heard of one; ``is_gone`` None: it asked for that and heard nothing."""

    data: bytes
    expires_at: float
    end: str | None = None
    is_gone: bool | None = False
    is_kept: bool = True
    """False for the job of ``/api/convert``, whose good end only Redis is told of."""


@dataclass
class Sending:
    """A resumable upload as its client knows it."""

    data: bytes
    acknowledged: int
    touched_at: float
    job_id: str
    is_made: bool = False

    @property
    def expires_at(self) -> float:
        """An upload of which no byte was acknowledged is promised an hour."""
        return self.touched_at + (DAY_S if self.acknowledged else HOUR_S)


class TellingCodec(ScriptedCodec):
    """Its result tells what it was made of."""

    def convert(self, source_fd: int, *others: Any, **more: Any) -> Converted:
        self.result = made_of(os.pread(source_fd, os.fstat(source_fd).st_size, 0))
        return super().convert(source_fd, *others, **more)


def made_of(source: bytes) -> bytes:
    return RESULT + hashlib.sha256(source).digest()


class Gateway(RuleBasedStateMachine):
    """Queue in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="wg-", dir=IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else None))
        self.clock = ShiftedClock()
        self.told: dict[str, Told] = {}
        self.sending: dict[str, Sending] = {}
        self.live: Any = self.new_live_state()

    def new_live_state(self) -> LiveState:
        self.server = MemoryServer(self.clock)
        return live_state(self.server)

    def lose_the_queue(self) -> None:
        self.server.lose_everything()

    @initialize(shares=st.booleans())
    def first_start(self, shares: bool) -> None:
        """Equal work is done once, or each by itself."""
        self.shares = shares
        self.start()

    def start(self) -> None:
        self.store, self.uploads = FileStore(self.root), FileUploads(self.root)
        self.store.prepare()
        self.uploads.prepare()
        ports = {"store": self.store, **self.live, "uploads": self.uploads}
        self.context = Context(**ports, clock=self.clock, new_id=random_id, receiver=READER, retention_s=DAY_S, shares_results=self.shares)
        self.janitor = maintenance.Janitor(self.context, random_id())

    def teardown(self) -> None:
        shutil.rmtree(self.root)

    # What clients do

    @rule(which=st.sampled_from(range(len(IMAGES))), is_ephemeral=st.booleans())
    def upload(self, which: int, is_ephemeral: bool) -> None:
        job = self.sent(IMAGES[which], is_ephemeral=is_ephemeral)
        self.heard_of(job, IMAGES[which])

    def sent(self, data: bytes, **more: Any) -> Job:
        received = self.received(data)
        try:
            return ingest.accept(self.context, received, Options(), Sender(), **more)
        except BaseException:
            received.upload.discard()
            raise

    def received(self, data: bytes) -> ingest.Received:
        intake = ingest.Intake(self.context, "cat.png")
        intake.feed(data)
        return intake.finish()

    @rule(count=st.integers(2, 3))
    def several(self, count: int) -> None:
        for number, job in enumerate(batch.accept(self.context, [self.received(IMAGES[each]) for each in range(count)], Options(), Sender())[1]):
            self.heard_of(job, IMAGES[number])

    @precondition(lambda self: self.alive())
    @rule(which=st.integers(0, 99))
    def cancel(self, which: int) -> None:
        job_id = self.one(which)
        with suppress(errors.AlreadyFinished):
            ended = conclude.cancel(self.context, find(self.context, job_id))
            assert ended.status.state == "cancelled" and self.told[job_id].end in (None, "cancelled")
            self.told[job_id].end = "cancelled"

    @precondition(lambda self: self.alive())
    @rule(which=st.integers(0, 99))
    def delete(self, which: int) -> None:
        job_id = self.one(which)
        conclude.erase(self.context, find(self.context, job_id))
        self.told[job_id].is_gone = True

    @precondition(lambda self: self.alive())
    @rule(which=st.integers(0, 99))
    def retry(self, which: int) -> None:
        job_id = self.one(which)
        job = ingest.retry(self.context, find(self.context, job_id), Options(quality=33), Sender())
        self.heard_of(job, self.told[job_id].data)

    # Resumable uploads

    @rule(which=st.sampled_from(range(len(IMAGES))))
    def begin_resumable(self, which: int) -> None:
        info = UploadInfo(random_id(), random_id(), Options(), "cat.png")
        uploads.create(self.context, info, len(IMAGES[which]), ClientLimits())
        self.sending[info.id] = Sending(IMAGES[which], 0, self.clock(), info.job_id)

    @precondition(lambda self: self.under_way())
    @rule(which=st.integers(0, 99))
    def begin_again(self, which: int) -> None:
        """The answer was lost, and the creation comes again with the ``Idempotency-Key`` that stands for this id."""
        upload_id, sending, offset = self.resumed(which)
        info, state = uploads.create(self.context, UploadInfo(upload_id, random_id(), Options(), "cat.png"), len(sending.data), ClientLimits())
        assert (info.job_id, state.offset_bytes) == (sending.job_id, offset)

    @precondition(lambda self: self.under_way())
    @rule(which=st.integers(0, 99), size=st.sampled_from([1, 60, 10_000]), is_summed=st.booleans())
    def chunk(self, which: int, size: int, is_summed: bool) -> None:
        upload_id, sending, offset = self.resumed(which)
        piece = sending.data[offset : offset + size]
        self.append(upload_id, offset, piece, piece if is_summed else None)
        self.acknowledged(upload_id, offset + len(piece))

    @precondition(lambda self: self.under_way())
    @rule(which=st.integers(0, 99), by=st.sampled_from([-1, 1, 7]))
    def chunk_at_a_wrong_offset(self, which: int, by: int) -> None:
        upload_id, sending, offset = self.resumed(which)
        with pytest.raises(errors.OffsetMismatch):
            self.append(upload_id, offset + by, sending.data[:10])
        assert uploads.resume(self.context, upload_id, "")[1].offset_bytes == offset

    @precondition(lambda self: self.under_way())
    @rule(which=st.integers(0, 99))
    def chunk_that_was_garbled(self, which: int) -> None:
        upload_id, sending, offset = self.resumed(which)
        piece = sending.data[offset : offset + 40]
        with pytest.raises(errors.ChecksumMismatch):
            self.append(upload_id, offset, piece, piece + b"!")
        assert uploads.resume(self.context, upload_id, "")[1].offset_bytes == offset

    @precondition(lambda self: self.under_way())
    @rule(which=st.integers(0, 99), size=st.integers(1, 200))
    def chunk_that_breaks_off(self, which: int, size: int) -> None:
        """What came counts; another hand can go on at once."""
        upload_id, sending, offset = self.resumed(which)

        def breaking() -> Iterator[bytes]:
            yield sending.data[offset : offset + size]
            if offset + size < len(sending.data):
                raise errors.BadRequest("broken_off")

        with suppress(errors.BadRequest), uploads.open_writer(self.context, upload_id, "") as writer:
            uploads.append(self.context, writer, PatchRequest(offset), breaking())
        self.acknowledged(upload_id, min(offset + size, len(sending.data)))

    @precondition(lambda self: self.under_way())
    @rule(which=st.integers(0, 99))
    def two_writers(self, which: int) -> None:
        upload_id, _, _ = self.resumed(which)
        with uploads.open_writer(self.context, upload_id, ""):
            assert self.uploads.open(upload_id) is None

    # What encoders do

    @rule(outcome=st.sampled_from(["works", "works", "breaks"]))
    def encode(self, outcome: str) -> None:
        steps = [errors.DamagedImage()] if outcome == "breaks" else []
        encode_next(self.context, TellingCodec(*steps), random_id())

    @rule()
    def an_encoder_dies(self) -> None:
        claim = self.context.queue.take(random_id(), 0.0)
        if claim is not None:
            with suppress(errors.NotFound):
                target = self.store.create_result(claim.job.id, claim.token)
                os.write(target.fd, b"half a res")
                target.close()  # as the kernel does; nothing is discarded

    @rule()
    def two_encoders_convert_the_same_job(self) -> None:
        """One was taken for dead and was not."""
        slow = TellingCodec(self.janitor.maintain, lambda: encode_next(self.context, TellingCodec(), random_id()))
        taken_by = random_id()
        queue = self.live["queue"]
        real = queue.take
        queue.take = lambda token, lease_s: real(token, 0.0 if token == taken_by else lease_s)
        try:
            encode_next(self.context, slow, taken_by)
        finally:
            queue.take = real

    # What happens by itself

    @rule()
    def tend(self) -> None:
        self.janitor.maintain()

    @rule(hours=st.sampled_from([1, 13, 25]))
    def time_passes(self, hours: int) -> None:
        self.clock.advance(hours * 3600)

    @rule()
    def expire(self) -> None:
        maintenance.recover(self.context)
        maintenance.expire(self.context)

    # What goes wrong

    @rule()
    def the_queue_is_lost(self) -> None:
        self.lose_the_queue()
        self.expect_ends_of_the_store()

    @rule()
    def restart(self) -> None:
        self.start()

    @rule()
    def everything_is_killed_and_the_queue_lost(self) -> None:
        self.lose_the_queue()
        self.expect_ends_of_the_store()
        self.start()
        self.janitor.maintain()

    @rule(which=st.sampled_from(range(len(IMAGES))))
    def upload_to_a_full_disk(self, which: int) -> None:
        self.store.min_free_bytes = 1 << 62
        try:
            with pytest.raises(errors.StorageFull):
                self.sent(IMAGES[which])
        finally:
            self.store.min_free_bytes = 0

    @rule(which=st.sampled_from(range(len(IMAGES))), at=st.integers(0, 30))
    def killed_while_uploading(self, which: int, at: int) -> None:
        self.killed_at(at, lambda: self.sent(IMAGES[which]))

    @precondition(lambda self: self.alive())
    @rule(which=st.integers(0, 99), at=st.integers(0, 20))
    def killed_while_deleting(self, which: int, at: int) -> None:
        job_id = self.one(which)
        was_killed = self.killed_at(at, lambda: conclude.erase(self.context, find(self.context, job_id)))
        self.told[job_id].is_gone = None if was_killed else True
        if not was_killed:
            self.context.jobs.forget(job_id)

    @rule(at=st.integers(0, 40))
    def killed_while_encoding(self, at: int) -> None:
        self.killed_at(at, lambda: encode_next(self.context, TellingCodec(), random_id()))

    @precondition(lambda self: self.under_way())
    @rule(which=st.integers(0, 99), at=st.integers(0, 60))
    def killed_at_a_last_chunk(self, which: int, at: int) -> None:
        upload_id, sending, offset = self.resumed(which)
        if not self.killed_at(at, lambda: self.append(upload_id, offset, sending.data[offset:])):
            sending.touched_at = self.clock()

    @rule(at=st.integers(0, 40))
    def killed_while_expiring(self, at: int) -> None:
        self.killed_at(at, lambda: (maintenance.recover(self.context), maintenance.expire(self.context)))

    def killed_at(self, number: int, work: Callable[[], object]) -> bool:
        """In a process of its own. What it did to a queue in memory is lost with it, as if it had been killed before it could tell Redis."""
        pid = os.fork()
        if pid == 0:
            left = iter(range(number))
            for name in CALLS:
                setattr(os, name, _mortal(getattr(os, name), left))
            try:
                work()
                os._exit(0)
            finally:
                os._exit(1)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert code in (0, KILLED)
        return code == KILLED

    # What must always hold

    def expect_ends_of_the_store(self) -> None:
        """A job of ``/api/convert`` may be encoded again once Redis forgot its end."""
        for told in self.told.values():
            if not told.is_kept and told.end == "succeeded":
                told.end = None

    @invariant()
    def every_job_is_as_its_client_knows_it(self) -> None:
        for job_id, told in self.told.items():
            self.look_up(job_id, told)

    def look_up(self, job_id: str, told: Told) -> None:
        try:
            job = find(self.context, job_id)
        except errors.NotFound:
            assert told.is_gone in (True, None) or told.expires_at <= self.clock(), f"job {job_id} was acknowledged and is not there"
            told.is_gone = True
            return
        if told.is_gone is None:
            return
        assert not told.is_gone, f"job {job_id} was deleted and is there again"
        if job.status.has_ended:
            assert told.end in (None, job.status.state), f"job {job_id} had ended as {told.end} and is now {job.status.state}"
            told.end = job.status.state
        assert told.end is None or job.status.has_ended, f"job {job_id} had ended and is {job.status.state} again"
        assert content(deliver.source(self.context, job)) == told.data
        if job.status.state == "succeeded":
            result, blob = deliver.result(self.context, job)
            assert content(blob) == made_of(told.data) and result.sha256 == hashlib.sha256(made_of(told.data)).hexdigest()

    @invariant()
    def no_job_is_there_twice_or_half(self) -> None:
        for manifest in manifests(self.store):
            assert content(self.store.open_source(manifest.id)) in IMAGES

    # How the model is kept

    def heard_of(self, job: Job, data: bytes) -> None:
        self.told[job.id] = Told(data, job.manifest.expires_at, is_kept=not job.manifest.is_ephemeral)

    def alive(self) -> list[str]:
        return [each for each, told in self.told.items() if told.is_gone is False and told.expires_at > self.clock()]

    def one(self, which: int) -> str:
        known = self.alive()
        return known[which % len(known)]

    def under_way(self) -> list[str]:
        return [each for each, sending in self.sending.items() if not sending.is_made and sending.expires_at > self.clock() + 1]

    def resumed(self, which: int) -> tuple[str, Sending, int]:
        """What HEAD tells: never less than what was acknowledged. If it was complete, and only its client had not heard, another is taken up."""
        known = self.under_way()
        upload_id = known[which % len(known)]
        sending = self.sending[upload_id]
        state = uploads.resume(self.context, upload_id, "")[1]
        assert sending.acknowledged <= state.offset_bytes
        if state.offset_bytes < len(sending.data):
            return upload_id, sending, state.offset_bytes
        self.acknowledged(upload_id, state.offset_bytes)
        self.begin_resumable(0)
        fresh = list(self.sending)[-1]
        return fresh, self.sending[fresh], 0

    def append(self, upload_id: str, offset: int, data: bytes, summed: bytes | None = None) -> None:
        checksum = None if summed is None else ("sha1", hashlib.sha1(summed).digest())
        with uploads.open_writer(self.context, upload_id, "") as writer:
            uploads.append(self.context, writer, PatchRequest(offset, checksum=checksum), iter([data]))

    def acknowledged(self, upload_id: str, offset: int) -> None:
        sending = self.sending[upload_id]
        state = uploads.resume(self.context, upload_id, "")[1]
        assert state.offset_bytes == offset
        self.sending[upload_id] = sending = replace(sending, acknowledged=offset, touched_at=self.clock(), is_made=state.has_job)
        if state.has_job:
            self.heard_of(find(self.context, sending.job_id), sending.data)


class GatewayWithRedis(Gateway):
    """Queue in a real Redis, which all processes share."""

    client: ClassVar[redis.Redis]

    def new_live_state(self) -> LiveState:
        self.client.flushall()
        return redis_live_state(self.client)

    def lose_the_queue(self) -> None:
        self.client.flushall()

    def killed_at(self, number: int, work: Callable[[], object]) -> bool:
        """The killed process has a connection of its own."""
        self.client.connection_pool.disconnect()
        return super().killed_at(number, work)


def _mortal(real: Callable[..., Any], left: Iterator[int]) -> Callable[..., Any]:
    def call(*arguments: Any, **more: Any) -> Any:
        if next(left, None) is None:
            os._exit(KILLED)
        return real(*arguments, **more)

    return call


def content(blob: Any) -> bytes:
    try:
        return bytes(blob.read_at(0, blob.size_bytes))
    finally:
        blob.close()


def run(machine: type[Gateway], examples: int, steps: int, *, is_random: bool) -> None:
    rules = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=not is_random,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    run_state_machine_as_test(machine, settings=rules)


def test_a_few_lives_of_a_gateway() -> None:
    run(Gateway, 12, 20, is_random=False)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_hundred_lives_of_a_gateway() -> None:
    run(Gateway, 200, 30, is_random=True)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_hundred_lives_with_a_real_redis(redis_server: RedisServer, connect: Callable[[str], redis.Redis]) -> None:
    GatewayWithRedis.client = connect(redis_server.url)
    run(GatewayWithRedis, 200, 30, is_random=True)
