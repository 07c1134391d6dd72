"""The contract of ``Uploads``: files, files through threads, memory."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gevent
import pytest

from backend import errors
from backend.adapters.files import disk
from backend.adapters.files.resumable import DATA, JOURNAL, TICKET, FileUploads
from backend.adapters.files.store import FileStore
from backend.adapters.threaded.resumable import ThreadedUploads
from backend.adapters.threaded.store import ThreadedStore
from backend.core.options import Options
from backend.core.resumable import Standing, Ticket
from backend.flows.world import random_id
from backend.ports import Store, Uploads, Writing
from tests.memory.samples import manifest
from tests.memory.store import MemoryStore
from tests.memory.uploads import MemoryUploads
from tests.ports.test_pour import BODY, MIB, TAIL, sent

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


@pytest.fixture(params=["files", "files, threaded", "memory"])
def both(request: pytest.FixtureRequest, on_disk: tuple[FileStore, FileUploads]) -> Iterator[tuple[Store, Uploads]]:
    if request.param == "memory":
        store = MemoryStore()
        yield store, MemoryUploads(store)
    elif request.param == "files":
        yield on_disk
    else:
        threaded, uploads = ThreadedStore(on_disk[0]), ThreadedUploads(on_disk[1])
        yield threaded, uploads
        uploads.close()
        threaded.close()


@pytest.fixture
def uploads(both: tuple[Store, Uploads]) -> Uploads:
    return both[1]


def create(uploads: Uploads, length: int | None = 1000, **given: Any) -> str:
    ticket = Ticket(id=random_id(), job_id=random_id(), options=Options(quality=50), filename="我.png", metadata="filename YQ==", **given)
    uploads.create(ticket, Standing(1.5, length_bytes=length))
    return ticket.id


def opened(uploads: Uploads, upload_id: str) -> Writing:
    writing = uploads.open(upload_id)
    assert writing is not None
    return writing


def send(uploads: Uploads, upload_id: str, data: bytes, now: float = 2.0) -> None:
    writing = opened(uploads, upload_id)
    writing.write(data)
    writing.keep(now)
    writing.close()


def test_a_new_upload_is_there_as_it_was_announced(uploads: Uploads) -> None:
    ticket = Ticket(random_id(), random_id(), Options(width=7), "a.png", "filename YQ==", "partial", "owner", "client", "request")
    uploads.create(ticket, Standing(1.5, length_bytes=None))
    assert uploads.look(ticket.id) == (ticket, Standing(1.5, 0, None, False))
    assert list(uploads.all()) == [(ticket, Standing(1.5, 0, None, False))]


def test_an_upload_that_is_there_is_not_made_again_and_loses_nothing(uploads: Uploads) -> None:
    upload_id = create(uploads)
    send(uploads, upload_id, b"kept")
    other = Ticket(upload_id, random_id(), Options(), "other.png")
    assert not uploads.create(other, Standing(9.0, length_bytes=7))
    ticket, standing = uploads.look(upload_id)
    assert (ticket.filename, standing) == ("我.png", Standing(2.0, 4, 1000))


def test_of_many_who_make_the_same_upload_at_once_one_does_and_nothing_is_left_of_the_others(
    on_disk: tuple[FileStore, FileUploads], root: Path
) -> None:
    known = random_id()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: on_disk[1].create(Ticket(known, str(number), Options()), Standing(1.0, length_bytes=5)), range(16)))
    assert sum(made) == 1
    assert on_disk[1].look(known)[0].job_id == str(made.index(True))
    assert [*(root / "incoming").iterdir()] == []


def test_what_was_kept_counts_and_what_was_not_never_was(uploads: Uploads) -> None:
    upload_id = create(uploads)
    writing = opened(uploads, upload_id)
    writing.write(b"kept")
    writing.keep(2.0)
    writing.write(b"lost")
    assert (writing.position_bytes, writing.standing.offset_bytes) == (8, 4)
    assert uploads.look(upload_id)[1] == Standing(2.0, 4, 1000)
    writing.close()
    writing = opened(uploads, upload_id)
    assert (writing.position_bytes, writing.head(100)) == (4, b"kept")
    writing.close()


def test_what_is_dropped_leaves_room_for_the_right_bytes(uploads: Uploads) -> None:
    upload_id = create(uploads)
    send(uploads, upload_id, b"right ")
    writing = opened(uploads, upload_id)
    writing.write(DATA_OF_THREE_BATCHES)
    writing.drop()
    writing.write(b"bytes")
    writing.keep(3.0)
    assert writing.head(100) == b"right bytes"
    writing.close()


def test_keeping_nothing_new_touches_nothing(uploads: Uploads) -> None:
    upload_id = create(uploads)
    writing = opened(uploads, upload_id)
    writing.keep(99.0)
    writing.close()
    assert uploads.look(upload_id)[1].touched_at == 1.5


def test_a_sum_covers_what_was_written_after_it_was_asked_for(uploads: Uploads) -> None:
    upload_id = create(uploads)
    writing = opened(uploads, upload_id)
    writing.write(b"before")
    writing.sum_up("sha1")
    writing.write(DATA_OF_THREE_BATCHES)
    assert writing.sum() == hashlib.sha1(DATA_OF_THREE_BATCHES).digest()
    writing.close()


def test_a_resumable_upload_is_poured_kept_dropped_and_resumed(uploads: Uploads) -> None:
    upload_id = create(uploads, len(BODY) + len(TAIL))
    writing = opened(uploads, upload_id)
    writing.write(BODY[:100])
    with sent(BODY[100:FIVE_MIB] + b"x" * MIB) as receiver:
        while writing.position_bytes < FIVE_MIB:
            writing.pour(receiver.fileno(), FIVE_MIB - writing.position_bytes)
        writing.keep(2.0)
        while writing.position_bytes < FIVE_MIB + MIB:
            writing.pour(receiver.fileno(), MIB)
    writing.drop()
    assert writing.position_bytes == FIVE_MIB
    writing.close()

    writing = opened(uploads, upload_id)
    assert writing.standing.offset_bytes == writing.position_bytes == FIVE_MIB
    writing.sum_up("sha1")
    with sent(BODY[FIVE_MIB:]) as receiver:
        while writing.position_bytes < len(BODY):
            writing.pour(receiver.fileno(), MIB)
        writing.write(TAIL)
    assert writing.sum() == hashlib.sha1(BODY[FIVE_MIB:] + TAIL).digest()
    writing.keep(3.0)
    assert writing.standing == Standing(3.0, len(BODY + TAIL), len(BODY + TAIL))
    finished = writing.finished()
    assert finished.sha256() == hashlib.sha256(BODY + TAIL).hexdigest()
    assert finished.inspect(lambda read_at, size_bytes: read_at(0, size_bytes + 1)) == BODY + TAIL
    finished.discard()
    writing.close()


def test_the_sum_of_an_upload_that_was_poured_in_one_go_needs_no_second_reading(uploads: Uploads) -> None:
    upload_id = create(uploads, len(BODY))
    writing = opened(uploads, upload_id)
    with sent(BODY) as receiver:
        while writing.position_bytes < len(BODY):
            writing.pour(receiver.fileno(), 4 * MIB)
            writing.checkpoint(2.0)
    writing.keep(3.0)
    finished = writing.finished()
    assert finished.sha256() == hashlib.sha256(BODY).hexdigest()
    finished.discard()
    writing.close()


def test_a_length_is_fixed_for_good(uploads: Uploads) -> None:
    upload_id = create(uploads, None)
    writing = opened(uploads, upload_id)
    writing.fix_length(4, 2.0)
    writing.close()
    send(uploads, upload_id, b"four", 3.0)
    assert uploads.look(upload_id)[1] == Standing(3.0, 4, 4)
    assert uploads.look(upload_id)[1].is_complete


def test_one_hand_at_a_time(uploads: Uploads) -> None:
    upload_id, other = create(uploads), create(uploads)
    writing = opened(uploads, upload_id)
    assert uploads.open(upload_id) is None
    opened(uploads, other).close()
    assert uploads.look(upload_id)[1].offset_bytes == 0
    writing.close()
    opened(uploads, upload_id).close()


def test_whoever_holds_it_sees_that_somebody_wants_it(uploads: Uploads) -> None:
    upload_id = create(uploads)
    writing = opened(uploads, upload_id)
    assert not writing.is_wanted()
    uploads.want(upload_id)
    assert writing.is_wanted()
    writing.close()
    writing = opened(uploads, upload_id)
    assert not writing.is_wanted()
    writing.close()


def test_an_upload_that_is_erased_under_a_hand_takes_nothing_more(uploads: Uploads) -> None:
    upload_id = create(uploads)
    writing = opened(uploads, upload_id)
    writing.write(b"1234")
    assert uploads.erase(upload_id) >= 0
    assert writing.is_wanted()
    with pytest.raises(errors.NotFound):
        writing.keep(2.0)
    writing.close()


def test_what_is_not_there_is_not_found(uploads: Uploads) -> None:
    gone = create(uploads)
    send(uploads, gone, b"1234")
    assert uploads.erase(gone) >= 4
    assert uploads.erase(gone) == 0
    for call in (uploads.look, uploads.open, uploads.want):
        with pytest.raises(errors.NotFound):
            call(gone)
    assert list(uploads.all()) == []


def test_parts_become_one_in_order(uploads: Uploads) -> None:
    parts = [create(uploads, concat="partial") for _ in range(3)]
    for part, data in zip(parts, (b"one ", DATA_OF_THREE_BATCHES, b" three"), strict=True):
        send(uploads, part, data)
    total = len(DATA_OF_THREE_BATCHES) + 10
    final = Ticket(random_id(), random_id(), Options())
    uploads.create(final, Standing(5.0, total, total), parts)
    writing = opened(uploads, final.id)
    assert writing.head(total + 1) == b"one " + DATA_OF_THREE_BATCHES + b" three"
    writing.close()


def test_a_missing_part_leaves_nothing(uploads: Uploads) -> None:
    part = create(uploads, concat="partial")
    send(uploads, part, b"1234")
    with pytest.raises(errors.NotFound):
        uploads.create(Ticket(random_id(), random_id(), Options()), Standing(5.0, 8, 8), [part, random_id()])
    assert [ticket.id for ticket, _ in uploads.all()] == [part]


def test_a_finished_upload_is_committed_with_its_digest_and_stays_until_it_is_concluded(both: tuple[Store, Uploads]) -> None:
    store, uploads = both
    upload_id = create(uploads, len(DATA_OF_THREE_BATCHES))
    send(uploads, upload_id, DATA_OF_THREE_BATCHES)
    writing = opened(uploads, upload_id)
    for _ in range(2):
        upload = writing.finished()
        assert (upload.size_bytes, upload.sha256()) == (len(DATA_OF_THREE_BATCHES), hashlib.sha256(DATA_OF_THREE_BATCHES).hexdigest())
        assert upload.inspect(lambda read_at, size: (read_at(5, 3), size)) == (b"\5\6\7", len(DATA_OF_THREE_BATCHES))
        upload.discard()
    known = manifest()
    assert store.commit(writing.finished(), known)
    assert writing.head(3) == b"\0\1\2"
    writing.conclude(9.0)
    writing.close()
    assert uploads.look(upload_id)[1] == Standing(9.0, len(DATA_OF_THREE_BATCHES), len(DATA_OF_THREE_BATCHES), has_job=True)
    opened(uploads, upload_id).close()
    blob = store.open_source(known.id)
    assert blob.read_at(0, blob.size_bytes) == DATA_OF_THREE_BATCHES
    blob.close()


def test_the_digest_is_right_whatever_was_dropped_on_the_way(both: tuple[Store, Uploads]) -> None:
    upload_id = create(both[1], 8)
    writing = opened(both[1], upload_id)
    for dropped, kept in ((b"not", b""), (b"", b"12"), (b"nor this", b"34")):
        writing.write(dropped)
        writing.drop()
        writing.write(kept)
        writing.keep(2.0)
    assert digest(writing) == hashlib.sha256(b"1234").hexdigest()
    writing.close()
    writing = opened(both[1], upload_id)
    writing.write(b"5678")
    writing.checkpoint(3.0)
    writing.keep(4.0)
    assert digest(writing) == hashlib.sha256(b"12345678").hexdigest()
    writing.close()


def digest(writing: Writing) -> str:
    upload = writing.finished()
    try:
        return upload.sha256()
    finally:
        upload.discard()


def test_a_checkpoint_counts_while_more_is_written(uploads: Uploads) -> None:
    upload_id = create(uploads, 2 * len(DATA_OF_THREE_BATCHES) + 1)
    writing = opened(uploads, upload_id)
    writing.write(DATA_OF_THREE_BATCHES)
    writing.checkpoint(2.0)
    writing.write(DATA_OF_THREE_BATCHES)
    deadline = time.monotonic() + 30
    while uploads.look(upload_id)[1].offset_bytes < len(DATA_OF_THREE_BATCHES):
        assert time.monotonic() < deadline
        gevent.sleep(0.01)
    writing.checkpoint(3.0)
    writing.write(b"!")
    writing.keep(4.0)
    assert uploads.look(upload_id)[1] == Standing(4.0, 2 * len(DATA_OF_THREE_BATCHES) + 1, 2 * len(DATA_OF_THREE_BATCHES) + 1)
    writing.close()


# Files alone


def test_after_a_checkpoint_that_failed_nothing_of_the_piece_is_kept(on_disk: tuple[FileStore, FileUploads], monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel may tell of a failed sync once, and call the next one good."""
    uploads = ThreadedUploads(on_disk[1])
    upload_id = create(uploads)
    writing = opened(uploads, upload_id)
    with monkeypatch.context() as broken:
        broken.setattr(disk, "_sync_file_range", None)
        broken.setattr(os, "fdatasync", failing)
        writing.write(b"bytes")
        writing.checkpoint(2.0)
        with pytest.raises(errors.BackendUnavailable):
            writing.keep(3.0)
    for _ in range(2):
        with pytest.raises(errors.BackendUnavailable):
            writing.keep(4.0)
    writing.close()
    assert uploads.look(upload_id)[1].offset_bytes == 0
    uploads.close()


def failing(fd: int) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_no_byte_is_copied_on_the_way_from_upload_to_source(on_disk: tuple[FileStore, FileUploads], root: Path) -> None:
    store, uploads = on_disk
    upload_id = create(uploads, 4)
    send(uploads, upload_id, b"1234")
    inode = (root / "uploads" / upload_id / DATA).stat().st_ino
    known = manifest()
    writing = opened(uploads, upload_id)
    store.commit(writing.finished(), known)
    writing.conclude(3.0)
    writing.close()
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
    assert uploads.look(upload_id)[1] == Standing(2.0, 8, 1000)
    send(uploads, upload_id, b"9", 3.0)
    assert uploads.look(upload_id)[1] == Standing(3.0, 9, 1000)
    assert b"\0" not in journal.read_bytes()


def test_a_journal_of_many_steps_is_read_from_its_end(on_disk: tuple[FileStore, FileUploads]) -> None:
    uploads = on_disk[1]
    upload_id = create(uploads)
    writing = opened(uploads, upload_id)
    for number in range(500):
        writing.write(b"x")
        writing.keep(float(number))
    writing.close()
    assert uploads.look(upload_id)[1] == Standing(499.0, 500, 1000)


def test_an_upload_that_cannot_be_read_does_not_hide_the_others(on_disk: tuple[FileStore, FileUploads], root: Path) -> None:
    broken, known = create(on_disk[1]), create(on_disk[1])
    ticket = root / "uploads" / broken / TICKET
    ticket.unlink()
    ticket.mkdir()
    assert [each.id for each, _ in on_disk[1].all()] == [known]


def test_uploads_are_readable_by_their_owner_alone(on_disk: tuple[FileStore, FileUploads], root: Path) -> None:
    create(on_disk[1])
    modes = {path.stat().st_mode & 0o077 for path in (root / "uploads").rglob("*")}
    assert modes == {0}
