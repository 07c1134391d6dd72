"""The contract of ``Uploads``: files, buckets of two S3 services, both through threads, memory."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
import pytest

from backend import errors
from backend.adapters.blocking_uploads import BlockingUploads
from backend.adapters.files import write_back
from backend.adapters.files.resumable import DATA, JOURNAL, TICKET, FileUploads
from backend.adapters.files.store import FileStore
from backend.adapters.s3 import upload_writer
from backend.adapters.s3.bucket import Bucket
from backend.adapters.s3.resumable import S3Uploads
from backend.adapters.s3.store import S3Store
from backend.adapters.stores import open_store, open_uploads
from backend.adapters.threaded.resumable import ThreadedUploads
from backend.adapters.threaded.store import ThreadedStore
from backend.core.options import Options
from backend.core.resumable import UploadInfo, UploadState
from backend.flows.context import random_id
from backend.ports.resumable import Uploads, UploadWriter
from backend.ports.store import Store
from tests.contract.test_receive_from_fd import BODY, MIB, TAIL, sent
from tests.fakes.samples import manifest
from tests.fakes.store import MemoryStore
from tests.fakes.uploads import MemoryUploads, every_upload
from tests.support.s3_server import credentials, make_bucket

DATA_OF_THREE_BATCHES = bytes(range(256)) * 3 * 1024 + b"and a rest"
FIVE_MIB = 5 * MIB


@pytest.fixture(scope="module", autouse=True)
def gevent_hub() -> None:
    gevent.get_hub().threadpool.apply(int)
    gevent.sleep(0)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def on_disk(root: Path) -> tuple[FileStore, FileUploads]:
    store, uploads = FileStore(root), FileUploads(root)
    store.prepare()
    uploads.prepare()
    return store, uploads


LOCKING = ["files", "files, threaded", "memory"]
SHARED = ["s3, moto", "s3, seaweedfs, threaded"]


@pytest.fixture(params=[*LOCKING, *SHARED])
def both(request: pytest.FixtureRequest, s3_servers: dict[str, str]) -> Iterator[tuple[Store, Uploads]]:
    with opened_both(request) as found:
        yield found


@pytest.fixture(params=LOCKING)
def locking(request: pytest.FixtureRequest, s3_servers: dict[str, str]) -> Iterator[Uploads]:
    with opened_both(request) as (_, uploads):
        yield uploads


@pytest.fixture(params=SHARED)
def shared(request: pytest.FixtureRequest, s3_servers: dict[str, str]) -> Iterator[tuple[Store, Uploads]]:
    with opened_both(request) as found:
        yield found


@contextmanager
def opened_both(request: pytest.FixtureRequest) -> Iterator[tuple[Store, Uploads]]:
    kind, *how = request.param.split(", ")
    if kind == "memory":
        store = MemoryStore()
        yield store, MemoryUploads(store)
        return
    inner = request.getfixturevalue("on_disk") if kind == "files" else in_bucket(request, how[0])
    if "threaded" not in how:
        yield inner
        return
    threaded, uploads = ThreadedStore(inner[0]), ThreadedUploads(inner[1])
    yield threaded, uploads
    uploads.close()
    threaded.close()


def in_bucket(request: pytest.FixtureRequest, server: str) -> tuple[Store, BlockingUploads]:
    """A store and its uploads in a new bucket. The clients of this thread are closed at the end."""
    endpoint, folder = request.getfixturevalue("s3_servers")[server], request.getfixturevalue("tmp_path")
    for name, value in credentials(endpoint).items():
        request.getfixturevalue("monkeypatch").setenv(name, value)
    url = f"s3://{make_bucket(endpoint)}/some/prefix"
    store, uploads = open_store(url, folder / "spool", min_free_bytes=0), open_uploads(url, folder / "spool", min_free_bytes=0)
    store.prepare()
    assert isinstance(store, S3Store) and isinstance(uploads, S3Uploads)
    for each in (store.bucket, uploads.bucket):
        request.addfinalizer(each.client.close)
    return store, uploads


@pytest.fixture
def uploads(both: tuple[Store, Uploads]) -> Uploads:
    return both[1]


def create(uploads: Uploads, length: int | None = 1000, **given: Any) -> str:
    info = UploadInfo(id=random_id(), job_id=random_id(), options=Options(quality=50), filename="我.png", metadata="filename YQ==", **given)
    uploads.create(info, UploadState(1.5, length_bytes=length))
    return info.id


def opened(uploads: Uploads, upload_id: str) -> UploadWriter:
    writer = uploads.open(upload_id)
    assert writer is not None
    return writer


def send(uploads: Uploads, upload_id: str, data: bytes, now: float = 2.0) -> None:
    writer = opened(uploads, upload_id)
    writer.write(data)
    writer.save(now)
    writer.close()


def test_a_new_upload_is_there_as_it_was_announced(uploads: Uploads) -> None:
    info = UploadInfo(random_id(), random_id(), Options(width=7), "a.png", "filename YQ==", "partial", "owner", "client", "request")
    uploads.create(info, UploadState(1.5, length_bytes=None))
    assert uploads.find(info.id) == (info, UploadState(1.5, 0, None, False))
    assert every_upload(uploads) == [(info, UploadState(1.5, 0, None, False))]


def test_an_upload_that_is_there_is_not_made_again_and_loses_nothing(uploads: Uploads) -> None:
    upload_id = create(uploads)
    send(uploads, upload_id, b"kept")
    other = UploadInfo(upload_id, random_id(), Options(), "other.png")
    assert not uploads.create(other, UploadState(9.0, length_bytes=7))
    info, state = uploads.find(upload_id)
    assert (info.filename, state) == ("我.png", UploadState(2.0, 4, 1000))


def test_of_many_who_make_the_same_upload_at_once_one_does_and_nothing_is_left_of_the_others(
    on_disk: tuple[FileStore, FileUploads], root: Path
) -> None:
    known = random_id()
    with ThreadPoolExecutor(8) as pool:
        infos = [UploadInfo(known, str(number), Options()) for number in range(16)]
        made = list(pool.map(lambda info: on_disk[1].create(info, UploadState(1.0, length_bytes=5)), infos))
    assert sum(made) == 1
    assert on_disk[1].find(known)[0].job_id == str(made.index(True))
    assert [*(root / "incoming").iterdir()] == []


def test_what_was_kept_counts_and_what_was_not_never_was(uploads: Uploads) -> None:
    upload_id = create(uploads)
    writer = opened(uploads, upload_id)
    writer.write(b"kept")
    writer.save(2.0)
    writer.write(b"lost")
    assert (writer.position_bytes, writer.state.offset_bytes) == (8, 4)
    assert uploads.find(upload_id)[1] == UploadState(2.0, 4, 1000)
    writer.close()
    writer = opened(uploads, upload_id)
    assert (writer.position_bytes, writer.read_head(100)) == (4, b"kept")
    writer.close()


def test_what_is_dropped_leaves_room_for_the_right_bytes(uploads: Uploads) -> None:
    upload_id = create(uploads)
    send(uploads, upload_id, b"right ")
    writer = opened(uploads, upload_id)
    writer.write(DATA_OF_THREE_BATCHES)
    writer.discard_unsaved()
    writer.write(b"bytes")
    writer.save(3.0)
    assert writer.read_head(100) == b"right bytes"
    writer.close()


def test_keeping_nothing_new_touches_nothing(uploads: Uploads) -> None:
    upload_id = create(uploads)
    writer = opened(uploads, upload_id)
    writer.save(99.0)
    writer.close()
    assert uploads.find(upload_id)[1].touched_at == 1.5


def test_a_sum_covers_what_was_written_after_it_was_asked_for(uploads: Uploads) -> None:
    upload_id = create(uploads)
    writer = opened(uploads, upload_id)
    writer.write(b"before")
    writer.start_checksum("sha1")
    writer.write(DATA_OF_THREE_BATCHES)
    assert writer.checksum() == hashlib.sha1(DATA_OF_THREE_BATCHES).digest()
    writer.close()


def test_a_resumable_upload_receives_saves_and_discards_bytes_of_a_socket(uploads: Uploads) -> None:
    upload_id = create(uploads, len(BODY) + len(TAIL))
    writer = opened(uploads, upload_id)
    writer.write(BODY[:100])
    with sent(BODY[100:FIVE_MIB] + b"x" * MIB) as receiver:
        while writer.position_bytes < FIVE_MIB:
            writer.receive_from_fd(receiver.fileno(), FIVE_MIB - writer.position_bytes)
        writer.save(2.0)
        while writer.position_bytes < FIVE_MIB + MIB:
            writer.receive_from_fd(receiver.fileno(), MIB)
    writer.discard_unsaved()
    assert writer.position_bytes == FIVE_MIB
    writer.close()

    writer = opened(uploads, upload_id)
    assert writer.state.offset_bytes == writer.position_bytes == FIVE_MIB
    writer.start_checksum("sha1")
    with sent(BODY[FIVE_MIB:]) as receiver:
        while writer.position_bytes < len(BODY):
            writer.receive_from_fd(receiver.fileno(), MIB)
        writer.write(TAIL)
    assert writer.checksum() == hashlib.sha1(BODY[FIVE_MIB:] + TAIL).digest()
    writer.save(3.0)
    assert writer.state == UploadState(3.0, len(BODY + TAIL), len(BODY + TAIL))
    finished = writer.create_upload()
    assert finished.sha256() == hashlib.sha256(BODY + TAIL).hexdigest()
    assert finished.inspect(lambda read_at, size_bytes: read_at(0, size_bytes + 1)) == BODY + TAIL
    finished.discard()
    writer.close()


def test_the_checksum_of_an_upload_that_came_in_one_piece_needs_no_second_reading(uploads: Uploads) -> None:
    upload_id = create(uploads, len(BODY))
    writer = opened(uploads, upload_id)
    with sent(BODY) as receiver:
        while writer.position_bytes < len(BODY):
            writer.receive_from_fd(receiver.fileno(), 4 * MIB)
            writer.checkpoint(2.0)
    writer.save(3.0)
    finished = writer.create_upload()
    assert finished.sha256() == hashlib.sha256(BODY).hexdigest()
    finished.discard()
    writer.close()


def test_a_length_is_fixed_for_good(uploads: Uploads) -> None:
    upload_id = create(uploads, None)
    writer = opened(uploads, upload_id)
    writer.set_length(4, 2.0)
    writer.close()
    send(uploads, upload_id, b"four", 3.0)
    assert uploads.find(upload_id)[1] == UploadState(3.0, 4, 4)
    assert uploads.find(upload_id)[1].is_complete


def test_one_hand_at_a_time(locking: Uploads) -> None:
    uploads = locking
    upload_id, other = create(uploads), create(uploads)
    writer = opened(uploads, upload_id)
    assert uploads.open(upload_id) is None
    opened(uploads, other).close()
    assert uploads.find(upload_id)[1].offset_bytes == 0
    writer.close()
    opened(uploads, upload_id).close()


def test_whoever_holds_it_sees_that_somebody_wants_it(locking: Uploads) -> None:
    uploads = locking
    upload_id = create(uploads)
    writer = opened(uploads, upload_id)
    assert not writer.is_takeover_requested()
    uploads.request_takeover(upload_id)
    assert writer.is_takeover_requested()
    writer.close()
    writer = opened(uploads, upload_id)
    assert not writer.is_takeover_requested()
    writer.close()


def test_an_upload_that_is_erased_under_a_hand_takes_nothing_more(uploads: Uploads, impatient: None) -> None:
    upload_id = create(uploads)
    writer = opened(uploads, upload_id)
    writer.write(b"1234")
    assert uploads.erase(upload_id) >= 0
    assert writer.is_takeover_requested()
    with pytest.raises(errors.NotFound):
        writer.save(2.0)
    writer.close()


def test_what_is_not_there_is_not_found(uploads: Uploads) -> None:
    gone = create(uploads)
    send(uploads, gone, b"1234")
    assert uploads.erase(gone) >= 4
    assert uploads.erase(gone) == 0
    for call in (uploads.find, uploads.open, uploads.request_takeover):
        with pytest.raises(errors.NotFound):
            call(gone)
    assert uploads.page("", 10) == []


def test_parts_become_one_in_order(uploads: Uploads) -> None:
    parts = [create(uploads, concat="partial") for _ in range(3)]
    for part, data in zip(parts, (b"one ", DATA_OF_THREE_BATCHES, b" three"), strict=True):
        send(uploads, part, data)
    total = len(DATA_OF_THREE_BATCHES) + 10
    final = UploadInfo(random_id(), random_id(), Options())
    uploads.create(final, UploadState(5.0, total, total), parts)
    writer = opened(uploads, final.id)
    assert writer.read_head(total + 1) == b"one " + DATA_OF_THREE_BATCHES + b" three"
    writer.close()


def test_a_missing_part_leaves_nothing(uploads: Uploads) -> None:
    part = create(uploads, concat="partial")
    send(uploads, part, b"1234")
    with pytest.raises(errors.NotFound):
        uploads.create(UploadInfo(random_id(), random_id(), Options()), UploadState(5.0, 8, 8), [part, random_id()])
    assert [each.id for each in uploads.page("", 10)] == [part]


def test_a_finished_upload_is_committed_with_its_digest_and_stays_until_it_is_concluded(both: tuple[Store, Uploads]) -> None:
    store, uploads = both
    upload_id = create(uploads, len(DATA_OF_THREE_BATCHES))
    send(uploads, upload_id, DATA_OF_THREE_BATCHES)
    writer = opened(uploads, upload_id)
    for _ in range(2):
        upload = writer.create_upload()
        assert (upload.size_bytes, upload.sha256()) == (len(DATA_OF_THREE_BATCHES), hashlib.sha256(DATA_OF_THREE_BATCHES).hexdigest())
        assert upload.inspect(lambda read_at, size: (read_at(5, 3), size)) == (b"\5\6\7", len(DATA_OF_THREE_BATCHES))
        upload.discard()
    known = manifest()
    assert store.commit_job(writer.create_upload(), known)
    assert writer.read_head(3) == b"\0\1\2"
    writer.mark_as_job(9.0)
    writer.close()
    assert uploads.find(upload_id)[1] == UploadState(9.0, len(DATA_OF_THREE_BATCHES), len(DATA_OF_THREE_BATCHES), has_job=True)
    opened(uploads, upload_id).close()
    blob = store.open_source(known.id)
    assert blob.read_at(0, blob.size_bytes) == DATA_OF_THREE_BATCHES
    blob.close()


def test_the_digest_is_right_whatever_was_dropped_on_the_way(both: tuple[Store, Uploads]) -> None:
    upload_id = create(both[1], 8)
    writer = opened(both[1], upload_id)
    for dropped, kept in ((b"not", b""), (b"", b"12"), (b"nor this", b"34")):
        writer.write(dropped)
        writer.discard_unsaved()
        writer.write(kept)
        writer.save(2.0)
    assert digest(writer) == hashlib.sha256(b"1234").hexdigest()
    writer.close()
    writer = opened(both[1], upload_id)
    writer.write(b"5678")
    writer.checkpoint(3.0)
    writer.save(4.0)
    assert digest(writer) == hashlib.sha256(b"12345678").hexdigest()
    writer.close()


def digest(writer: UploadWriter) -> str:
    upload = writer.create_upload()
    try:
        return upload.sha256()
    finally:
        upload.discard()


def test_a_checkpoint_counts_while_more_is_written(uploads: Uploads) -> None:
    upload_id = create(uploads, 2 * len(DATA_OF_THREE_BATCHES) + 1)
    writer = opened(uploads, upload_id)
    writer.write(DATA_OF_THREE_BATCHES)
    writer.checkpoint(2.0)
    writer.write(DATA_OF_THREE_BATCHES)
    deadline = time.monotonic() + 30
    while uploads.find(upload_id)[1].offset_bytes < len(DATA_OF_THREE_BATCHES):
        assert time.monotonic() < deadline
        gevent.sleep(0.01)
    writer.checkpoint(3.0)
    writer.write(b"!")
    writer.save(4.0)
    assert uploads.find(upload_id)[1] == UploadState(4.0, 2 * len(DATA_OF_THREE_BATCHES) + 1, 2 * len(DATA_OF_THREE_BATCHES) + 1)
    writer.close()


def test_uploads_are_listed_by_pages_in_order_and_seen_to_change(uploads: Uploads) -> None:
    known = sorted(create(uploads) for _ in range(7))
    send(uploads, known[2], b"1234")
    first = uploads.page("", 3)
    assert [each.id for each in first] == known[:3]
    assert [each.id for each in uploads.page(known[2], 3)] == known[3:6]
    assert [each.id for each in uploads.page(known[5], 3)] == known[6:] and uploads.page(known[6], 3) == []
    send(uploads, known[1], b"12", 3.0)
    assert [each != before for each, before in zip(uploads.page("", 3), first, strict=True)] == [False, True, False]


# Buckets alone: nothing is locked


def test_of_two_who_write_different_bytes_the_first_counts_and_the_other_hears_where_it_is(shared: tuple[Store, Uploads]) -> None:
    uploads = shared[1]
    upload_id = create(uploads)
    one, other = opened(uploads, upload_id), opened(uploads, upload_id)
    one.write(b"of one")
    other.write(b"of the other")
    one.save(2.0)
    with pytest.raises(errors.OffsetMismatch) as refused:
        other.save(3.0)
    assert refused.value.params["offset"] == 6
    one.write(b", more")
    one.save(4.0)
    assert one.read_head(100) == b"of one, more"
    for each in (one, other):
        each.close()
    assert uploads.find(upload_id)[1] == UploadState(4.0, 12, 1000)


def test_who_sends_the_same_bytes_again_goes_on_behind_the_request_that_broke(shared: tuple[Store, Uploads]) -> None:
    """A client asked for the offset on another host before the first had saved what came over the broken connection."""
    uploads = shared[1]
    upload_id = create(uploads, len(DATA_OF_THREE_BATCHES))
    broken, after = opened(uploads, upload_id), opened(uploads, upload_id)
    broken.write(DATA_OF_THREE_BATCHES[:300_000])
    after.write(DATA_OF_THREE_BATCHES[:500_000])
    broken.save(2.0)
    after.save(3.0)
    after.write(DATA_OF_THREE_BATCHES[500_000:])
    broken.write(b"what never counts")
    after.save(4.0)
    with pytest.raises(errors.OffsetMismatch):
        broken.save(5.0)
    assert digest(after) == hashlib.sha256(DATA_OF_THREE_BATCHES).hexdigest()
    for each in (broken, after):
        each.close()
    assert uploads.find(upload_id)[1].offset_bytes == len(DATA_OF_THREE_BATCHES)


def test_bytes_that_many_writers_save_at_once_are_those_of_one_after_the_other(shared: tuple[Store, Uploads]) -> None:
    """Each writes its own letter: the upload must be runs of letters, as long as what each was told."""
    uploads = shared[1]
    upload_id = create(uploads, 10_000)

    def write(letter: bytes) -> list[tuple[int, bytes]]:
        saved = []
        for size in range(1, 9):
            writer = opened(uploads, upload_id)
            at = writer.state.offset_bytes
            writer.write(letter * size)
            try:
                writer.save(2.0)
                saved.append((at, letter * size))
            except errors.OffsetMismatch:
                pass
            writer.close()
        return saved

    if isinstance(uploads, ThreadedUploads):
        done = gevent.joinall([gevent.spawn(write, bytes([letter])) for letter in b"abcd"], raise_error=True)
        saved = sorted(piece for each in done for piece in each.value)
    else:
        with ThreadPoolExecutor(4) as pool:
            saved = sorted(piece for each in pool.map(write, [bytes([letter]) for letter in b"abcd"]) for piece in each)
    writer = opened(uploads, upload_id)
    assert writer.read_head(10_000) == b"".join(data for _, data in saved) and len(saved) >= 8
    assert [at for at, _ in saved] == [sum(len(data) for _, data in saved[:number]) for number in range(len(saved))]
    writer.close()


def test_many_small_pieces_are_put_together_and_leave_no_litter(shared: tuple[Store, Uploads]) -> None:
    store, uploads = shared
    upload_id = create(uploads, 1000)
    for number in range(40):
        send(uploads, upload_id, bytes([number]) * 25)
    bucket, prefix = objects_of(shared)
    assert len(list(bucket.objects(f"{prefix}uploads/{upload_id}/piece-"))) <= 6
    assert store.clean_up(-1) == 0
    writer = opened(uploads, upload_id)
    assert writer.read_head(1000) == b"".join(bytes([number]) * 25 for number in range(40))
    writer.close()


def test_a_piece_that_no_record_names_is_deleted_once_it_is_old(shared: tuple[Store, Uploads]) -> None:
    """Its writer was killed before it could count it."""
    store, uploads = shared
    upload_id = create(uploads)
    send(uploads, upload_id, b"counts")
    bucket, prefix = objects_of(shared)
    for known in (upload_id, random_id()):
        bucket.put(f"{prefix}uploads/{known}/piece-lost", "lost")
    assert store.clean_up(60) == 0
    assert store.clean_up(-1) == 8
    writer = opened(uploads, upload_id)
    assert writer.read_head(100) == b"counts"
    writer.close()


def test_an_upload_that_came_in_one_request_is_put_once(shared: tuple[Store, Uploads]) -> None:
    store, uploads = shared
    bucket, prefix = objects_of(shared)
    upload_id = create(uploads, 8)
    writer = opened(uploads, upload_id)
    writer.write(b"12345678")
    writer.save(2.0)
    assert writer.state == UploadState(2.0, 8, 8)
    assert list(bucket.objects(f"{prefix}uploads/{upload_id}/piece-")) == []
    known = manifest()
    assert store.commit_job(writer.create_upload(), known)
    writer.mark_as_job(3.0)
    writer.close()
    assert uploads.find(upload_id)[1] == UploadState(3.0, 8, 8, has_job=True)
    blob = store.open_source(known.id)
    assert blob.read_at(0, 100) == b"12345678"
    blob.close()


def test_an_upload_that_came_in_one_request_and_became_no_job_is_kept(shared: tuple[Store, Uploads]) -> None:
    """The queue is full, say: the janitor tries again."""
    uploads = shared[1]
    upload_id = create(uploads, 8)
    writer = opened(uploads, upload_id)
    writer.write(b"12345678")
    writer.save(2.0)
    writer.close()
    assert uploads.find(upload_id)[1] == UploadState(2.0, 8, 8)
    writer = opened(uploads, upload_id)
    assert digest(writer) == hashlib.sha256(b"12345678").hexdigest()
    writer.close()


def test_two_hosts_that_finish_one_upload_make_one_job(shared: tuple[Store, Uploads]) -> None:
    store, uploads = shared
    upload_id = create(uploads, 8)
    send(uploads, upload_id, b"12345678")
    known = manifest()
    one, other = opened(uploads, upload_id), opened(uploads, upload_id)
    first, second = one.create_upload(), other.create_upload()
    assert [store.commit_job(each, known) for each in (first, second)] == [True, False]
    for each in (one, other):
        each.mark_as_job(5.0)
        each.close()
    assert uploads.find(upload_id)[1] == UploadState(5.0, 8, 8, has_job=True)
    blob = store.open_source(known.id)
    assert blob.read_at(0, 100) == b"12345678"
    blob.close()


def test_who_finishes_too_late_is_told_so(shared: tuple[Store, Uploads]) -> None:
    uploads = shared[1]
    upload_id = create(uploads, 8)
    send(uploads, upload_id, b"12345678")
    one, late = opened(uploads, upload_id), opened(uploads, upload_id)
    one.mark_as_job(5.0)
    with pytest.raises(errors.Locked):
        late.create_upload()
    for each in (one, late):
        each.close()


def test_a_silent_writer_sees_that_another_has_gone_on(shared: tuple[Store, Uploads], impatient: None) -> None:
    uploads = shared[1]
    upload_id = create(uploads)
    silent, other = opened(uploads, upload_id), opened(uploads, upload_id)
    silent.write(b"12")
    assert not silent.is_takeover_requested()
    other.write(b"1234")
    other.save(2.0)
    assert silent.is_takeover_requested()
    for each in (silent, other):
        each.close()


def test_an_upload_that_was_made_anew_under_its_id_takes_nothing_of_the_old(shared: tuple[Store, Uploads]) -> None:
    uploads = shared[1]
    upload_id = create(uploads)
    writer = opened(uploads, upload_id)
    writer.write(b"old")
    uploads.erase(upload_id)
    uploads.create(UploadInfo(upload_id, random_id(), Options()), UploadState(2.0, length_bytes=9))
    with pytest.raises(errors.NotFound):
        writer.save(3.0)
    writer.close()
    assert uploads.find(upload_id)[1] == UploadState(2.0, 0, 9)


def objects_of(shared: tuple[Store, Uploads]) -> tuple[Bucket, str]:
    store = shared[0]
    own = store._store if isinstance(store, ThreadedStore) else store
    assert isinstance(own, S3Store)
    return own.bucket, own.prefix


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer in a bucket asks each time whether another has gone on."""
    monkeypatch.setattr(upload_writer, "LOOK_EVERY_S", 0.0)


# Files alone


def test_after_a_checkpoint_that_failed_nothing_of_the_piece_is_kept(on_disk: tuple[FileStore, FileUploads], monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel may tell of a failed sync once, and call the next one good."""
    uploads = ThreadedUploads(on_disk[1])
    upload_id = create(uploads)
    writer = opened(uploads, upload_id)
    with monkeypatch.context() as broken:
        broken.setattr(write_back, "_sync_file_range", None)
        broken.setattr(os, "fdatasync", failing)
        writer.write(b"bytes")
        writer.checkpoint(2.0)
        with pytest.raises(errors.BackendUnavailable):
            writer.save(3.0)
    for _ in range(2):
        with pytest.raises(errors.BackendUnavailable):
            writer.save(4.0)
    writer.close()
    assert uploads.find(upload_id)[1].offset_bytes == 0
    uploads.close()


def failing(fd: int) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_no_byte_is_copied_on_the_way_from_upload_to_source(on_disk: tuple[FileStore, FileUploads], root: Path) -> None:
    store, uploads = on_disk
    upload_id = create(uploads, 4)
    send(uploads, upload_id, b"1234")
    inode = (root / "uploads" / upload_id / DATA).stat().st_ino
    known = manifest()
    writer = opened(uploads, upload_id)
    store.commit_job(writer.create_upload(), known)
    writer.mark_as_job(3.0)
    writer.close()
    source = next(root.glob(f"jobs/*/{known.id}/source")).stat()
    assert (source.st_ino, source.st_nlink) == (inode, 1)
    assert list((root / "incoming").iterdir()) == []


@pytest.mark.parametrize("torn", [b"12", b"12 1000 0", b"12 1000 0 3.00", b"\0" * 500, b"x" * 10 + b"\n", b"\n\n"])
def test_a_line_that_a_crash_tore_counts_for_nothing_and_is_written_over(on_disk: tuple[FileStore, FileUploads], root: Path, torn: bytes) -> None:
    uploads = on_disk[1]
    upload_id = create(uploads)
    send(uploads, upload_id, b"12345678")
    journal = root / "uploads" / upload_id / JOURNAL
    with journal.open("ab") as file:
        file.write(torn)
    assert uploads.find(upload_id)[1] == UploadState(2.0, 8, 1000)
    send(uploads, upload_id, b"9", 3.0)
    assert uploads.find(upload_id)[1] == UploadState(3.0, 9, 1000)
    assert b"\0" not in journal.read_bytes()


def test_a_journal_of_many_steps_is_read_from_its_end(on_disk: tuple[FileStore, FileUploads]) -> None:
    uploads = on_disk[1]
    upload_id = create(uploads)
    writer = opened(uploads, upload_id)
    for number in range(500):
        writer.write(b"x")
        writer.save(float(number))
    writer.close()
    assert uploads.find(upload_id)[1] == UploadState(499.0, 500, 1000)


def test_an_upload_that_cannot_be_read_does_not_hide_the_others(on_disk: tuple[FileStore, FileUploads], root: Path) -> None:
    broken, known = create(on_disk[1]), create(on_disk[1])
    info = root / "uploads" / broken / TICKET
    info.unlink()
    info.mkdir()
    assert {each.id for each in on_disk[1].page("", 10)} >= {known}


def test_uploads_are_readable_by_their_owner_alone(on_disk: tuple[FileStore, FileUploads], root: Path) -> None:
    create(on_disk[1])
    modes = {path.stat().st_mode & 0o077 for path in (root / "uploads").rglob("*")}
    assert modes == {0}
