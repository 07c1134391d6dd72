"""A store for the gateway's loop: every call goes to a pool of real threads, so that no disk can stop the loop."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar, cast

from backend.adapters.files.store import FileUpload
from backend.adapters.threaded.pool import Threads
from backend.adapters.threaded.write_buffer import WriteBuffer
from backend.core.batch import Batch
from backend.core.image_headers import ReadAt
from backend.core.job import Manifest, Status
from backend.ports.store import Blob, ResultFile, Store, Upload

T = TypeVar("T")
THREADS = 8
EARLY_BYTES = 256 << 10
LOOKS, LOOK_BYTES = 4, 4 << 10
"""What may be read of an early image's header without a thread: one with more parts than fit in there would hold up the loop for over 5 ms."""


class ThreadedUpload:
    """Begun when there is more than a little, or with its commit: so a small image costs one turn of a thread."""

    def __init__(self, begin: Callable[[], Upload], threads: Threads) -> None:
        self._begin, self._threads = begin, threads
        self._early: list[bytes] = []
        self._early_bytes = 0
        self._under_way: _UnderWay | None = None

    @classmethod
    def of(cls, upload: Upload, threads: Threads) -> ThreadedUpload:
        """Of one that has been begun."""
        made = cls(lambda: upload, threads)
        made._under_way = _UnderWay(upload, threads)
        return made

    @property
    def size_bytes(self) -> int:
        return self._early_bytes if self._under_way is None else self._under_way.size_bytes

    def write(self, chunk: bytes) -> None:
        """What fails is raised by a later call: ``commit`` at the latest."""
        if self._under_way is None and self._early_bytes + len(chunk) <= EARLY_BYTES:
            self._early.append(chunk)
            self._early_bytes += len(chunk)
        else:
            self.begun().chunks.add(chunk)

    def receive_from_fd(self, source_fd: int, most_bytes: int) -> int:
        return self.begun().chunks.receive_from_fd(source_fd, most_bytes)

    def flushed(self) -> Upload:
        """The store's own, with all that came."""
        under_way = self.begun()
        under_way.chunks.flush()
        return under_way.upload

    def commit(self, call: Callable[[Upload], bool]) -> bool:
        """``call`` with the store's own, in a thread."""
        if self._under_way is None:
            return self._begun_with(call)
        return cast(bool, self._threads.run(call, self.flushed()))

    def sha256(self) -> str:
        if self._under_way is None:
            return hashlib.sha256(self._early_data()).hexdigest()
        upload = self.flushed()
        self.begun().chunks.catch_up()
        return upload.sha256()

    def inspect(self, look: Callable[[ReadAt, int], T]) -> T:
        if self._under_way is None:
            try:
                return look(_Glimpse(self._early_data()).read_at, self._early_bytes)
            except _MoreThanAGlimpse:
                return self._begun_with(lambda upload: upload.inspect(look))
        upload, chunks = self._under_way.upload, self._under_way.chunks
        return chunks.then(lambda: upload.inspect(look))

    def discard(self) -> None:
        if self._under_way is not None:
            self._under_way.chunks.forget()
            self._threads.run(self._under_way.upload.discard)
        self._early = []

    def _early_data(self) -> bytes:
        if len(self._early) > 1:
            self._early = [b"".join(self._early)]
        return self._early[0] if self._early else b""

    def begun(self) -> _UnderWay:
        if self._under_way is None:
            self._begun_with(lambda _upload: None)
        assert self._under_way is not None
        return self._under_way

    def _begun_with(self, call: Callable[[Upload], T]) -> T:
        """With what came early, and what ``call`` returns: in one crossing. What is begun is known even if the rest fails."""

        def begin() -> T:
            upload = self._begin()
            self._under_way = _UnderWay(upload, self._threads)
            early, self._early = self._early_data(), []
            if early:
                self._under_way.write_early(early)
            return call(upload)

        return cast(T, self._threads.run(begin))


class _MoreThanAGlimpse(Exception):
    pass


class _Glimpse:
    """A few bytes here and there of what is in memory. Raises ``_MoreThanAGlimpse``."""

    def __init__(self, data: bytes) -> None:
        self._data, self._looks = data, 0

    def read_at(self, offset: int, length: int) -> bytes:
        self._looks += 1
        if self._looks > LOOKS or length > LOOK_BYTES:
            raise _MoreThanAGlimpse
        return self._data[offset : offset + length]


class _UnderWay:
    def __init__(self, upload: Upload, threads: Threads) -> None:
        self.upload, self._known_bytes = upload, upload.size_bytes
        self.chunks = WriteBuffer(threads, _halves(upload), upload if isinstance(upload, FileUpload) else None)

    def write_early(self, data: bytes) -> None:
        """From a thread, before anything else."""
        try:
            self.upload.write(data)
        except Exception as error:
            self.chunks.fail(error)
            raise
        self._known_bytes += len(data)

    @property
    def size_bytes(self) -> int:
        return self._known_bytes + self.chunks.size_bytes


def _halves(upload: Upload) -> tuple[Callable[[bytes], None], ...]:
    """What makes up ``write`` and may run at the same time."""
    return (upload.put, upload.sum_up) if isinstance(upload, FileUpload) else (upload.write,)


class ThreadedStore:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._threads = Threads(THREADS)
        self._run = self._threads.run
        self._looks = Threads(1)  # or health waits behind every upload that is being synced

    def create_upload(self) -> ThreadedUpload:
        return ThreadedUpload(self._store.create_upload, self._threads)

    def reuse_source(self, manifest: Manifest) -> ThreadedUpload:
        return ThreadedUpload.of(self._run(self._store.reuse_source, manifest), self._threads)

    def commit_job(self, upload: Upload, manifest: Manifest) -> bool:
        assert isinstance(upload, ThreadedUpload)
        return upload.commit(lambda own: self._store.commit_job(own, manifest))

    def reserve(self, manifest: Manifest) -> None:
        self._run(self._store.reserve, manifest)

    def attach_source(self, upload: Upload, manifest: Manifest) -> None:
        assert isinstance(upload, ThreadedUpload)
        self._run(self._store.attach_source, upload.flushed(), manifest)

    def save_batch(self, batch: Batch) -> None:
        self._run(self._store.save_batch, batch)

    def batch(self, batch_id: str) -> Batch:
        return self._run(self._store.batch, batch_id)  # type: ignore[no-any-return]

    def manifest(self, job_id: str) -> Manifest:
        return self._run(self._store.manifest, job_id)  # type: ignore[no-any-return]

    def outcome(self, job_id: str) -> Status | None:
        return self._run(self._store.outcome, job_id)  # type: ignore[no-any-return]

    def open_source(self, job_id: str) -> Blob:
        return self._run(self._store.open_source, job_id)  # type: ignore[no-any-return]

    def open_result(self, job_id: str, file: str) -> Blob:
        return self._run(self._store.open_result, job_id, file)  # type: ignore[no-any-return]

    def create_result(self, job_id: str, token: str) -> ResultFile:
        return self._run(self._store.create_result, job_id, token)  # type: ignore[no-any-return]

    def reuse_result(self, from_id: str, file: str, job_id: str, token: str) -> str:
        return self._run(self._store.reuse_result, from_id, file, job_id, token)  # type: ignore[no-any-return]

    def commit_outcome(self, job_id: str, status: Status, *, durable: bool = True) -> bool:
        return self._run(partial(self._store.commit_outcome, durable=durable), job_id, status)  # type: ignore[no-any-return]

    def erase(self, job_id: str, *, durable: bool = True) -> int:
        return self._run(partial(self._store.erase, durable=durable), job_id)  # type: ignore[no-any-return]

    def manifests(self) -> Iterator[Manifest]:
        return self._threads.walk(self._store.manifests())

    def clean_up(self, older_than_s: float) -> int:
        return self._run(self._store.clean_up, older_than_s)  # type: ignore[no-any-return]

    def check(self) -> None:
        self._looks.run(self._store.check)

    def close(self) -> None:
        self._threads.close()
        self._looks.close()
