"""``Upload.receive_from_fd``: bytes go from a socket into the store, past Python.

``UploadWriter.receive_from_fd`` is tested in ``tests/contract/test_resumable.py``.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from backend import errors
from backend.adapters.files import disk, splice, write_back
from backend.adapters.files.append_file import READ_BYTES
from backend.adapters.files.store import FileStore
from backend.adapters.files.upload import FileUpload
from backend.adapters.threaded.store import ThreadedStore
from backend.adapters.threaded.upload import ThreadedUpload
from backend.ports.source_files import Upload
from backend.ports.store import Store
from tests.fakes.samples import manifest

MIB = 1 << 20
HEAD, BODY, TAIL = b"first ", secrets.token_bytes(9 * MIB + 12_345), b" and last"

pytestmark = pytest.mark.skipif(not splice.IS_AVAILABLE, reason="splice(2) is Linux's")


@contextmanager
def sent(data: bytes, *, then_close: bool = True) -> Iterator[socket.socket]:
    """A socket like the gateway's own, which does not block, with ``data`` on its way to it."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as sender:
        receiver, _ = server.accept()

        def send() -> None:
            with suppress(OSError):  # whoever has seen enough leaves
                sender.sendall(data)
                if then_close:
                    sender.shutdown(socket.SHUT_WR)

        thread = threading.Thread(target=send)
        thread.start()
        with receiver:
            receiver.setblocking(False)
            yield receiver
        thread.join()


def receive_all(upload: Upload, receiver: socket.socket, size_bytes: int) -> list[int]:
    """Turn after turn until so many bytes are in; the bytes of each turn."""
    turns: list[int] = []
    while sum(turns) < size_bytes:
        turns.append(upload.receive_from_fd(receiver.fileno(), min(4 * MIB, size_bytes - sum(turns))))
    return turns


def content(upload: Upload) -> bytes:
    return upload.inspect(lambda read_at, size_bytes: read_at(0, size_bytes + 1))


def test_what_a_socket_brings_between_what_is_written_keeps_its_place_and_is_hashed(store: Store) -> None:
    upload = store.create_upload()
    upload.write(HEAD)
    with sent(BODY) as receiver:
        assert max(receive_all(upload, receiver, len(BODY) - MIB)) <= 4 * MIB
        upload.write(b"in between")
        receive_all(upload, receiver, MIB)
    upload.write(TAIL)
    whole = HEAD + BODY[:-MIB] + b"in between" + BODY[-MIB:] + TAIL
    assert upload.size_bytes == len(whole)
    assert content(upload) == whole
    assert upload.sha256() == hashlib.sha256(whole).hexdigest()
    job = manifest()
    assert store.commit_job(upload, job)
    blob = store.open_source(job.id)
    assert blob.read_at(0, blob.size_bytes + 1) == whole
    blob.close()


@pytest.mark.parametrize("is_read_ahead", [False, True])
def test_little_is_read_at_once_and_hashed_in_the_same_turn(file_store: FileStore, monkeypatch: pytest.MonkeyPatch, is_read_ahead: bool) -> None:
    """Where much was spliced before, its checksum is computed first."""
    upload = file_store.create_upload()
    upload.write(HEAD)
    with sent(BODY) as receiver:
        begun = upload.receive_from_fd(receiver.fileno(), 2 * MIB) if is_read_ahead else 0
        while upload.size_bytes < len(HEAD + BODY):
            assert upload.receive_from_fd(receiver.fileno(), READ_BYTES) <= READ_BYTES
            monkeypatch.setattr(disk, "spans", lambda fd, begin, end: pytest.fail("read again") if begin < end() else iter(()))
    assert begun > 0 or not is_read_ahead
    assert upload.sha256() == hashlib.sha256(HEAD + BODY).hexdigest()
    assert content(upload) == HEAD + BODY
    upload.discard()


def test_no_more_is_taken_than_belongs_to_it(store: Store) -> None:
    upload = store.create_upload()
    with sent(BODY + b"the next request") as receiver:
        receive_all(upload, receiver, len(BODY))
        receiver.settimeout(10)
        assert receiver.recv(100) == b"the next request"
    assert content(upload) == BODY
    upload.discard()


def test_where_nothing_comes_nothing_is_waited_for(store: Store) -> None:
    upload = store.create_upload()
    with sent(b"", then_close=False) as receiver:
        assert upload.receive_from_fd(receiver.fileno(), MIB) == 0
    with sent(b"some") as receiver:
        receiver.settimeout(10)
        assert receiver.recv(4) == b"some"
        receiver.setblocking(False)
        assert upload.receive_from_fd(receiver.fileno(), MIB) == 0, "an end is told by whoever reads on"
    assert upload.size_bytes == 0
    upload.discard()


def test_a_file_system_that_does_not_splice_gets_a_copy(file_store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    upload, real = file_store.create_upload(), os.splice

    def refuses_files(source: int, target: int, *arguments: int, **more: int) -> int:
        if target == upload.fd:
            raise OSError(errno.EINVAL, "not here")
        return real(source, target, *arguments, **more)

    monkeypatch.setattr(os, "splice", refuses_files)
    with sent(BODY) as receiver:
        receive_all(upload, receiver, len(BODY))
    assert content(upload) == BODY
    assert upload.sha256() == hashlib.sha256(BODY).hexdigest()
    upload.discard()


def test_a_kernel_that_grants_no_wide_pipe_gives_a_narrow_one(file_store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splice, "F_SETPIPE_SZ", -1)
    upload = file_store.create_upload()
    with sent(BODY) as receiver:
        receive_all(upload, receiver, len(BODY))
    assert upload.sha256() == hashlib.sha256(BODY).hexdigest()
    upload.discard()


@pytest.mark.parametrize("is_threaded", [False, True])
def test_a_full_disk_is_said_at_once_and_again(file_store: FileStore, is_threaded: bool) -> None:
    threaded = ThreadedStore(file_store)
    upload = threaded.create_upload() if is_threaded else file_store.create_upload()
    inner = upload.flush() if isinstance(upload, ThreadedUpload) else upload
    assert isinstance(inner, FileUpload)
    full_fd = os.open("/dev/full", os.O_RDWR)
    os.dup2(full_fd, inner.fd)
    os.close(full_fd)
    with sent(BODY[:MIB]) as receiver:
        with pytest.raises(errors.StorageFull):
            receive_all(upload, receiver, MIB)
        if is_threaded:
            with pytest.raises(errors.StorageFull):
                upload.sha256()
    upload.discard()
    threaded.close()


@pytest.mark.parametrize(("slow_below", "is_cached"), [(1 << 60, False), (0, True)])
@pytest.mark.parametrize("window", ["WRITE_BACK_BYTES", "SLOW_WRITE_BACK_BYTES"])
def test_what_came_slowly_and_is_on_the_disk_leaves_the_cache(
    file_store: FileStore, monkeypatch: pytest.MonkeyPatch, slow_below: int, is_cached: bool, window: str
) -> None:
    monkeypatch.setattr(write_back, "SLOW_BYTES_PER_S", slow_below)
    upload, data = file_store.create_upload(), secrets.token_bytes(getattr(write_back, window))
    for _ in range(3):
        upload.write(data)
        os.fsync(upload.fd)
    assert isinstance(upload, FileUpload)
    try:
        found = os.preadv(upload.fd, [bytearray(4096)], 0, os.RWF_NOWAIT) > 0
    except BlockingIOError:
        found = False
    except OSError as error:
        pytest.skip(f"the file system does not tell: {error}")
    assert found == is_cached
    assert content(upload) == 3 * data
    assert upload.sha256() == hashlib.sha256(3 * data).hexdigest()
    upload.discard()


def test_no_upload_fails_for_what_is_only_advice(file_store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EINVAL, "not here")

    monkeypatch.setattr(write_back, "SLOW_BYTES_PER_S", 1 << 60)
    monkeypatch.setattr(os, "posix_fadvise", refused)
    upload, data = file_store.create_upload(), secrets.token_bytes(write_back.WRITE_BACK_BYTES)
    for _ in range(3):
        upload.write(data)
    assert content(upload) == 3 * data
    upload.discard()
