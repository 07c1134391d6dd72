"""A store for the gateway's loop: every call runs in a thread, so that no disk can stop the loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence

from backend.adapters.threaded.pool import Threads
from backend.adapters.threaded.upload import ThreadedUpload
from backend.core.batch import Batch
from backend.core.job import Manifest, Status
from backend.core.webhooks import Delivery
from backend.ports.blob import Blob
from backend.ports.job_records import JobPage, ManyRead
from backend.ports.result_files import ResultFile
from backend.ports.source_files import Upload
from backend.ports.store import Store

THREADS = 8
READERS = 4
CHECKED_S = 0.2
"""How long a disk that had room counts as one that has."""


class _ThreadedPart:
    """What the five parts of ``ThreadedStore`` share."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._threads = Threads(THREADS)
        self._run = self._threads.run
        self._checked_s = -math.inf
        self._check_threads = Threads(1)
        """Without a thread of its own, ``/api/health`` would wait for all uploads that are being synced."""

    def close(self) -> None:
        self._threads.close()
        self._check_threads.close()


class _ThreadedSourceFiles(_ThreadedPart):
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
        self._run(self._store.attach_source, upload.flush(), manifest)

    def open_source(self, job_id: str) -> Blob:
        return self._run(self._store.open_source, job_id)


class _ThreadedResultFiles(_ThreadedPart):
    def create_result(self, job_id: str, token: str) -> ResultFile:
        return self._run(self._store.create_result, job_id, token)

    def open_result(self, job_id: str, file: str) -> Blob:
        return self._run(self._store.open_result, job_id, file)

    def reuse_result(self, from_id: str, file: str, job_id: str, token: str) -> str:
        return self._run(self._store.reuse_result, from_id, file, job_id, token)


class _ThreadedJobRecords(_ThreadedPart):
    def manifest(self, job_id: str) -> Manifest:
        return self._run(self._store.manifest, job_id)

    def job_page(self, place: str = "", limit: int = 500) -> JobPage:
        return self._run(self._store.job_page, place, limit)

    def manifests(self, ids: Sequence[str]) -> ManyRead:
        return self._read_many(self._store.manifests, ids)

    def unfinished(self, ids: Sequence[str]) -> ManyRead:
        return self._read_many(self._store.unfinished, ids)

    def _read_many(self, read: Callable[[Sequence[str]], ManyRead], ids: Sequence[str]) -> ManyRead:
        """In ``READERS`` threads at once, which a store over a network needs; the others are left to uploads."""
        parts = [ids[first::READERS] for first in range(min(READERS, len(ids)))]
        done = self._threads.run_all(read, parts)
        return ManyRead(tuple(each for part in done for each in part.found), tuple(each for part in done for each in part.unread))

    def outcome(self, job_id: str) -> Status | None:
        return self._run(self._store.outcome, job_id)

    def commit_outcome(self, job_id: str, status: Status, *, durable: bool = True) -> bool:
        return self._run(self._store.commit_outcome, job_id, status, durable=durable)

    def erase(self, job_id: str, *, durable: bool = True) -> int:
        return self._run(self._store.erase, job_id, durable=durable)

    def save_batch(self, batch: Batch) -> None:
        self._run(self._store.save_batch, batch)

    def batch(self, batch_id: str) -> Batch:
        return self._run(self._store.batch, batch_id)

    def erase_batch(self, batch_id: str) -> None:
        self._run(self._store.erase_batch, batch_id)


class _ThreadedDeliveryRecords(_ThreadedPart):
    def add_delivery(self, delivery: Delivery) -> bool:
        return self._run(self._store.add_delivery, delivery)

    def save_delivery(self, delivery: Delivery) -> None:
        self._run(self._store.save_delivery, delivery)

    def delivery(self, delivery_id: str) -> Delivery:
        return self._run(self._store.delivery, delivery_id)

    def delivery_ids(self) -> set[str]:
        return self._run(self._store.delivery_ids)

    def pending_deliveries(self) -> Iterator[Delivery]:
        return self._threads.iterate(self._store.pending_deliveries())


class _ThreadedHousekeeping(_ThreadedPart):
    def prepare(self) -> None:
        self._run(self._store.prepare)

    def probe(self) -> None:
        self._run(self._store.probe)

    def check(self) -> None:
        """Asks at most every ``CHECKED_S``. Whoever creates something in the store is checked again then."""
        now_s = time.monotonic()
        if now_s - self._checked_s >= CHECKED_S:
            self._check_threads.run(self._store.check)
            self._checked_s = now_s

    def clean_up(self, older_than_s: float) -> int:
        return self._run(self._store.clean_up, older_than_s)


class ThreadedStore(_ThreadedSourceFiles, _ThreadedResultFiles, _ThreadedJobRecords, _ThreadedDeliveryRecords, _ThreadedHousekeeping):
    """``ports.Store``, around another one."""
