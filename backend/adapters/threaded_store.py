"""A store for the gateway's loop: every call goes to a pool of real threads, so that no disk can stop the loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

from backend.adapters.file_store import FileUpload
from backend.adapters.gathered import Gathered
from backend.adapters.growing import LITTLE_BYTES, UpTo
from backend.adapters.threads import Threads
from backend.core.batch import Batch
from backend.core.headers import ReadAt
from backend.core.job import Manifest, Status
from backend.ports import Blob, Store, Target, Upload

T = TypeVar("T")
THREADS = 8


class ThreadedUpload:
    def __init__(self, upload: Upload, threads: Threads) -> None:
        self.inner = upload
        self._known_bytes, self._run = upload.size_bytes, threads.run
        self._chunks = Gathered(threads, _halves(upload), upload if isinstance(upload, FileUpload) else None)

    @property
    def size_bytes(self) -> int:
        return self._known_bytes + self._chunks.size_bytes

    def write(self, chunk: bytes) -> None:
        """What fails is raised by a later call: ``commit`` at the latest."""
        self._chunks.add(chunk)

    def pour(self, source_fd: int, most_bytes: int) -> int:
        return self._chunks.pour(source_fd, most_bytes)

    def pour_up_to(self, mark: bytes, source_fd: int, most_bytes: int, held: bytes = b"") -> tuple[int, bytes]:
        upload = self.inner
        if not isinstance(upload, FileUpload):
            return 0, held
        self._chunks.flush()
        self._chunks.catch_up()
        if most_bytes > LITTLE_BYTES:
            part = UpTo(upload, mark, source_fd, most_bytes, held)
            return self._chunks.grow(part.follow, part.fill)

        def pour() -> tuple[int, tuple[int, bytes]]:
            count, rest = upload.pour_up_to(mark, source_fd, most_bytes, held)
            return len(held) + count - len(rest), (count, rest)

        return self._chunks.grow(pour)

    def flush(self) -> None:
        self._chunks.flush()

    def sha256(self) -> str:
        self.flush()
        self._chunks.catch_up()
        return self.inner.sha256()

    def inspect(self, look: Callable[[ReadAt, int], T]) -> T:
        return self._chunks.then(lambda: self.inner.inspect(look))

    def discard(self) -> None:
        self._chunks.forget()
        self._run(self.inner.discard)


def _halves(upload: Upload) -> tuple[Callable[[bytes], None], ...]:
    """What makes up ``write`` and may run at the same time."""
    return (upload.put, upload.sum_up) if isinstance(upload, FileUpload) else (upload.write,)


class ThreadedStore:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._threads = Threads(THREADS)
        self._run = self._threads.run
        self._looks = Threads(1)  # or health waits behind every upload that is being synced

    def begin(self) -> ThreadedUpload:
        return ThreadedUpload(self._run(self._store.begin), self._threads)

    def again(self, manifest: Manifest) -> ThreadedUpload:
        return ThreadedUpload(self._run(self._store.again, manifest), self._threads)

    def commit(self, upload: Upload, manifest: Manifest) -> bool:
        assert isinstance(upload, ThreadedUpload)
        upload.flush()
        return self._run(self._store.commit, upload.inner, manifest)  # type: ignore[no-any-return]

    def promise(self, manifest: Manifest) -> None:
        self._run(self._store.promise, manifest)

    def supply(self, upload: Upload, manifest: Manifest) -> None:
        assert isinstance(upload, ThreadedUpload)
        upload.flush()
        self._run(self._store.supply, upload.inner, manifest)

    def keep_batch(self, batch: Batch) -> None:
        self._run(self._store.keep_batch, batch)

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

    def begin_result(self, job_id: str, token: str) -> Target:
        return self._run(self._store.begin_result, job_id, token)  # type: ignore[no-any-return]

    def share(self, from_id: str, file: str, job_id: str, token: str) -> str:
        return self._run(self._store.share, from_id, file, job_id, token)  # type: ignore[no-any-return]

    def conclude(self, job_id: str, status: Status, *, lasts: bool = True) -> bool:
        return self._run(partial(self._store.conclude, lasts=lasts), job_id, status)  # type: ignore[no-any-return]

    def erase(self, job_id: str, *, lasts: bool = True) -> int:
        return self._run(partial(self._store.erase, lasts=lasts), job_id)  # type: ignore[no-any-return]

    def jobs(self) -> Iterator[Manifest]:
        return self._threads.walk(self._store.jobs())

    def tidy(self, older_than_s: float) -> int:
        return self._run(self._store.tidy, older_than_s)  # type: ignore[no-any-return]

    def check(self) -> None:
        self._looks.run(self._store.check)

    def close(self) -> None:
        self._threads.close()
        self._looks.close()
