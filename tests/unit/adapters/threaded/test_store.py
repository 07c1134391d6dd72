"""What only threads have: who waits for whom."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import gevent
import pytest
from gevent.monkey import get_original

from backend import errors
from backend.adapters.files.store import FileStore
from backend.adapters.files.upload import FileUpload
from backend.adapters.threaded.pool import Threads
from backend.adapters.threaded.store import THREADS, ThreadedStore
from backend.adapters.threaded.upload import EARLY_BYTES, EARLY_TOGETHER_BYTES, GLIMPSE_BYTES, GLIMPSES, SMALL_BYTES, ThreadedUpload
from backend.adapters.threaded.write_buffer import BATCH_BYTES, MOST_BYTES, TOGETHER_BYTES, WriteBuffer
from tests.fakes.samples import job

allocate_lock = get_original("_thread", "allocate_lock")


def test_health_does_not_wait_for_uploads_that_are_being_synced(file_store: FileStore) -> None:
    store, gate = ThreadedStore(file_store), allocate_lock()
    gate.acquire()
    held = [gevent.spawn(store._run, lambda: gate.acquire() and gate.release()) for _ in range(2 * THREADS)]
    gevent.sleep(0)
    with gevent.Timeout(30):
        store.check()
    assert not any(each.dead for each in held)
    gate.release()
    gevent.joinall(held, raise_error=True)
    store.close()


def test_however_many_send_to_a_disk_that_stands_still_little_memory_is_held() -> None:
    """The loop waits with a batch of each upload in hand once all of them together hold enough; nothing is lost or changes places."""
    threads, gate, written = Threads(4), allocate_lock(), [bytearray() for _ in range(40)]
    gate.acquire()

    def sink(into: bytearray) -> Callable[[bytes], None]:
        def write(data: bytes) -> None:
            with gate:
                into.extend(data)

        return write

    uploads = [WriteBuffer(threads, [sink(each)]) for each in written]
    begun_bytes = WriteBuffer.together_bytes

    def send(number: int) -> None:
        for piece in range(48):
            uploads[number].add(bytes([number, piece]) * (BATCH_BYTES // 4))
            gevent.sleep(0)
        uploads[number].flush()

    senders = [gevent.spawn(send, number) for number in range(40)]
    for _ in range(200):  # more turns than anybody takes who does not wait
        gevent.sleep(0)
    assert not any(each.dead for each in senders)
    assert WriteBuffer.together_bytes - begun_bytes <= TOGETHER_BYTES + 40 * BATCH_BYTES < 40 * MOST_BYTES
    gate.release()
    gevent.joinall(senders, raise_error=True)
    assert WriteBuffer.together_bytes == begun_bytes
    assert written == [b"".join(bytes([number, piece]) * (BATCH_BYTES // 4) for piece in range(48)) for number in range(40)]
    threads.close()


def test_a_small_image_costs_one_crossing(file_store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store, crossings, made = ThreadedStore(file_store), [], job()
    run = Threads.run
    monkeypatch.setattr(Threads, "run", lambda self, call, *given: crossings.append(call) or run(self, call, *given))
    upload, data = store.create_upload(), b"a" * 1000 + b"b" * (EARLY_BYTES - 1000)
    for piece in (data[:1000], data[1000:]):
        upload.write(piece)
    assert upload.inspect(lambda read_at, size: (read_at(999, 2), size)) == (b"ab", EARLY_BYTES)
    assert upload.sha256() == hashlib.sha256(data).hexdigest()
    assert (crossings, upload.size_bytes, list(file_store.root.glob("incoming/*"))) == ([], EARLY_BYTES, [])
    assert store.commit_job(upload, made.manifest) and len(crossings) == 1
    with_blob = store.open_source(made.id)
    assert with_blob.read_at(0, 2 * EARLY_BYTES) == data
    with_blob.close()
    store.close()


def test_what_many_small_images_keep_in_memory_is_bounded_and_given_back(file_store: FileStore) -> None:
    store, begun_bytes = ThreadedStore(file_store), ThreadedUpload.together_bytes
    uploads = [store.create_upload() for _ in range(20)]
    for number, upload in enumerate(uploads):
        for _ in range(8):
            upload.write(bytes([number]) * (EARLY_BYTES // 8))
    assert EARLY_TOGETHER_BYTES - EARLY_BYTES < ThreadedUpload.together_bytes - begun_bytes <= EARLY_TOGETHER_BYTES + 20 * SMALL_BYTES
    assert [upload.sha256() for upload in uploads] == [hashlib.sha256(bytes([number]) * EARLY_BYTES).hexdigest() for number in range(20)]
    for number, upload in enumerate(uploads):
        if number % 2:
            upload.discard()
        else:
            made = job()
            assert store.commit_job(upload, made.manifest)
            blob = store.open_source(made.id)
            assert blob.read_at(0, 2 * EARLY_BYTES) == bytes([number]) * EARLY_BYTES
            blob.close()
    assert ThreadedUpload.together_bytes == begun_bytes
    store.close()


def test_many_small_chunks_keep_their_order_and_their_places(file_store: FileStore) -> None:
    store, data = ThreadedStore(file_store), bytes(range(256)) * 8
    upload = store.create_upload()
    for at in range(0, len(data), 3):
        upload.write(data[at : at + 3])
    assert upload.inspect(lambda read_at, size: [read_at(at, 300) for at in (0, 1, 500)]) == [data[at : at + 300] for at in (0, 1, 500)]
    made = job()
    assert store.commit_job(upload, made.manifest)
    blob = store.open_source(made.id)
    assert blob.read_at(0, 2 * len(data)) == data
    blob.close()
    store.close()


@pytest.mark.parametrize("looks", [[(0, GLIMPSE_BYTES + 1)], [(number, 1) for number in range(GLIMPSES + 1)]])
def test_a_header_of_many_parts_is_read_in_a_thread(file_store: FileStore, monkeypatch: pytest.MonkeyPatch, looks: list[tuple[int, int]]) -> None:
    """All of it: what was read before counts for nothing."""
    store, crossings = ThreadedStore(file_store), []
    run = Threads.run
    monkeypatch.setattr(Threads, "run", lambda self, call, *given: crossings.append(call) or run(self, call, *given))
    upload = store.create_upload()
    upload.write(bytes(range(200)))
    found = upload.inspect(lambda read_at, _size: [read_at(*each)[:1] for each in looks])
    assert (found, len(crossings)) == ([bytes([offset]) for offset, _ in looks], 1)
    upload.discard()
    assert list(file_store.root.glob("incoming/*")) == []
    store.close()


@pytest.mark.parametrize("sizes", [(EARLY_BYTES + 1,), (1000, EARLY_BYTES), (EARLY_BYTES, 1), (0, 5, 0)])
def test_what_came_early_stays_ahead_of_what_comes_after(file_store: FileStore, sizes: tuple[int, ...]) -> None:
    store, pieces = ThreadedStore(file_store), [bytes([65 + number]) * size for number, size in enumerate(sizes)]
    upload, made = store.create_upload(), job()
    for piece in pieces:
        upload.write(piece)
    assert upload.size_bytes == sum(sizes)
    assert store.commit_job(upload, made.manifest)
    blob = store.open_source(made.id)
    assert blob.read_at(0, blob.size_bytes) == b"".join(pieces)
    blob.close()
    store.close()


@pytest.mark.parametrize(
    "use",
    [
        lambda upload: upload.inspect(lambda read_at, size: read_at(0, GLIMPSE_BYTES + 1)),
        lambda upload: upload.commit(lambda own: bool(own.sha256())),
        lambda upload: upload.flush(),
    ],
)
def test_an_early_byte_that_could_not_be_written_is_missed_by_every_later_call(
    file_store: FileStore, monkeypatch: pytest.MonkeyPatch, use: Callable[[ThreadedUpload], object]
) -> None:
    store = ThreadedStore(file_store)
    upload = store.create_upload()
    upload.write(b"some")
    with monkeypatch.context() as patch:
        patch.setattr(FileUpload, "append", failing)
        with pytest.raises(errors.StorageFull):
            use(upload)
    for again in (lambda: upload.inspect(lambda _read_at, size: size), upload.sha256, lambda: store.commit_job(upload, job().manifest)):
        with pytest.raises(errors.StorageFull):
            again()
    upload.discard()
    assert list(file_store.root.glob("incoming/*")) == []
    store.close()


def test_an_upload_that_was_never_begun_leaves_nothing(file_store: FileStore) -> None:
    store = ThreadedStore(file_store)
    upload = store.create_upload()
    upload.write(b"some")
    upload.discard()
    assert list(file_store.root.glob("incoming/*")) == []
    store.close()


def failing(*_: object) -> None:
    raise errors.StorageFull()
