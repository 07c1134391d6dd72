"""The store in a dictionary. ``is_full`` and ``is_down`` make it fail as a disk does."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from backend import errors
from backend.core.batch import Batch
from backend.core.image_headers import ReadAt
from backend.core.index_line import IndexLine, index_line
from backend.core.job import Manifest, Status
from backend.core.webhooks import Delivery
from backend.ports.clock import Clock
from backend.ports.job_records import JobPage, ListedJob, ManyRead
from backend.ports.source_files import Upload

T = TypeVar("T")


def read_socket(source_fd: int, most_bytes: int) -> bytes:
    data = b""
    with suppress(BlockingIOError):
        while len(data) < most_bytes and (more := os.read(source_fd, most_bytes - len(data))):
            data += more
    return data


@dataclass(eq=False)
class MemoryUpload:
    store: MemoryStore
    touched_s: float
    data: bytearray = field(default_factory=bytearray)

    @property
    def size_bytes(self) -> int:
        return len(self.data)

    def write(self, chunk: bytes) -> None:
        self.store.check()
        self.data += chunk

    def receive_from_fd(self, source_fd: int, most_bytes: int) -> int:
        data = read_socket(source_fd, most_bytes)
        self.write(data)
        return len(data)

    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    def inspect(self, look: Callable[[ReadAt, int], T]) -> T:
        return look(lambda offset, length: bytes(self.data[offset : offset + length]), len(self.data))

    def discard(self) -> None:
        self.store.incoming.discard(self)


@dataclass(eq=False)
class MemoryResult:
    """Its bytes go through a real descriptor, since that is what a codec writes to."""

    can_save_again = False

    store: MemoryStore
    job_id: str
    name: str

    def __post_init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by ``close``
        self.fd = self._file.fileno()

    def save(self, *, durable: bool = True) -> tuple[str, str]:
        self.store.check()
        data = os.pread(self.fd, os.fstat(self.fd).st_size, 0)
        self.close()
        if self.job_id in self.store.entries:
            self.store.entries[self.job_id].results[self.name] = data
        return self.name, hashlib.sha256(data).hexdigest()

    def discard(self) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self.store.open_files.discard(self)
        self.fd = -1


@dataclass(eq=False)
class MemoryBlob:
    store: MemoryStore
    data: bytes

    def __post_init__(self) -> None:
        self.size_bytes = len(self.data)
        with tempfile.NamedTemporaryFile() as written:
            written.write(self.data)
            written.flush()
            self._file = open(written.name, "rb")  # noqa: SIM115 - closed by ``close``

    def read_at(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()
        self.store.open_files.discard(self)


@dataclass
class Entry:
    manifest: Manifest
    source: bytes | None
    results: dict[str, bytes] = field(default_factory=dict)
    outcome: Status | None = None

    @property
    def bytes(self) -> int:
        return len(self.source or b"") + sum(map(len, self.results.values()))


class MemoryDeliveries:
    """That part of ``MemoryStore``. ``is_full`` and ``is_down`` are the store's."""

    deliveries: dict[str, Delivery]
    events: list[str]
    check: Callable[[], None]
    _reach: Callable[[], None]

    def add_delivery(self, delivery: Delivery) -> bool:
        self.check()
        is_new = delivery.id not in self.deliveries
        self.deliveries.setdefault(delivery.id, Delivery.from_json(delivery.to_json()))
        if is_new:
            self.events.append(f"promise to tell of {delivery.subject}")
        return is_new

    def save_delivery(self, delivery: Delivery) -> None:
        self.check()
        self.deliveries[delivery.id] = Delivery.from_json(delivery.to_json())

    def delivery(self, delivery_id: str) -> Delivery:
        self._reach()
        if delivery_id not in self.deliveries:
            raise errors.NotFound(private=delivery_id)
        return self.deliveries[delivery_id]

    def delivery_ids(self) -> set[str]:
        self._reach()
        return set(self.deliveries)

    def pending_deliveries(self) -> Iterator[Delivery]:
        self._reach()
        yield from [each for each in self.deliveries.values() if each.is_pending]


class MemoryStore(MemoryDeliveries):
    """``events`` names what was made durable, in order; ``open_files`` what nobody has closed yet.

    ``shows_lines``: whether a listing shows lines of the index, as that of a bucket does. ``reads`` counts manifests that were read for one.
    """

    def __init__(self, clock: Clock = time.time) -> None:
        self.clock = clock
        self.entries: dict[str, Entry] = {}
        self.incoming: set[MemoryUpload] = set()
        self.batches: dict[str, Batch] = {}
        self.deliveries: dict[str, Delivery] = {}
        self.open_files: set[MemoryBlob | MemoryResult] = set()
        self.events: list[str] = []
        self.is_full = self.is_down = self.shows_lines = False
        self.reads = 0

    def create_upload(self) -> MemoryUpload:
        self.check()
        upload = MemoryUpload(self, self.clock())
        self.incoming.add(upload)
        return upload

    def reuse_source(self, manifest: Manifest) -> MemoryUpload:
        upload = self.create_upload()
        upload.data += self._there(self._entry(manifest.id))
        return upload

    def commit_job(self, upload: Upload, manifest: Manifest) -> bool:
        self.check()
        assert isinstance(upload, MemoryUpload) and upload in self.incoming
        self.incoming.discard(upload)
        if manifest.id in self.entries:
            return False
        self.entries[manifest.id] = Entry(manifest, bytes(upload.data))
        self.events.append(f"commit {manifest.id}")
        return True

    def reserve(self, manifest: Manifest) -> None:
        self.check()
        self.entries[manifest.id] = Entry(manifest, None)
        self.events.append(f"promise {manifest.id}")

    def attach_source(self, upload: Upload, manifest: Manifest) -> None:
        entry = self._entry(manifest.id)
        self.check()
        assert isinstance(upload, MemoryUpload) and upload in self.incoming
        self.incoming.discard(upload)
        entry.manifest, entry.source = manifest, bytes(upload.data)
        self.events.append(f"supply {manifest.id}")

    def save_batch(self, batch: Batch) -> None:
        self.check()
        self.batches[batch.id] = batch

    def batch(self, batch_id: str) -> Batch:
        self._reach()
        if batch_id not in self.batches:
            raise errors.NotFound()
        return self.batches[batch_id]

    def erase_batch(self, batch_id: str) -> None:
        self._reach()
        self.batches.pop(batch_id, None)

    def manifest(self, job_id: str) -> Manifest:
        return self._entry(job_id).manifest

    def outcome(self, job_id: str) -> Status | None:
        self._reach()
        entry = self.entries.get(job_id)
        return entry.outcome if entry else None

    def open_source(self, job_id: str) -> MemoryBlob:
        return self._opened(self._there(self._entry(job_id)))

    def open_result(self, job_id: str, file: str) -> MemoryBlob:
        self._reach()
        entry = self.entries.get(job_id)
        if entry is None or file not in entry.results:
            raise errors.Gone()
        return self._opened(entry.results[file])

    def create_result(self, job_id: str, token: str) -> MemoryResult:
        self._entry(job_id)
        self.check()
        target = MemoryResult(self, job_id, f"result-{token}.webp")
        self.open_files.add(target)
        return target

    def reuse_result(self, from_id: str, file: str, job_id: str, token: str) -> str:
        own, other = self._entry(job_id), self.entries.get(from_id)
        if other is None or file not in other.results:
            raise errors.Gone(private=from_id)
        own.results[f"result-{token}.webp"] = other.results[file]
        return f"result-{token}.webp"

    def commit_outcome(self, job_id: str, status: Status, *, durable: bool = True) -> bool:
        entry = self._entry(job_id)
        self.check()
        is_first = entry.outcome is None
        entry.outcome = entry.outcome or status
        kept = entry.outcome.files
        entry.results = {name: data for name, data in entry.results.items() if name in kept}
        if not is_first:
            return False
        self.events.append(f"conclude {job_id} {status.state}")
        return True

    def erase(self, job_id: str, *, durable: bool = True) -> int:
        self._reach()
        entry = self.entries.pop(job_id, None)
        if entry is None:
            return 0
        self.events.append(f"erase {job_id}")
        return entry.bytes

    def job_page(self, place: str = "", limit: int = 500) -> JobPage:
        self._reach()
        ids = sorted(each for each in self.entries if each > place)
        shown = tuple(ListedJob(each, self.entries[each].outcome is not None, self._shown_line(each)) for each in ids[:limit])
        return JobPage(shown, shown[-1].id if len(ids) > limit else None)

    def _shown_line(self, job_id: str) -> IndexLine | None:
        return index_line(self.entries[job_id].manifest) if self.shows_lines else None

    def manifests(self, ids: Sequence[str]) -> ManyRead:
        self._reach()
        self.reads += len(ids)
        return ManyRead(tuple(self.entries[each].manifest for each in ids if each in self.entries))

    def unfinished(self, ids: Sequence[str]) -> ManyRead:
        found = self.manifests(ids).found
        return ManyRead(tuple(each for each in found if self.outcome(each.id) is None))

    def clean_up(self, older_than_s: float) -> int:
        self._reach()
        old = [upload for upload in self.incoming if self.clock() - upload.touched_s > older_than_s]
        for upload in old:
            upload.discard()
        over = [each for each in self.batches.values() if each.expires_at < self.clock()]
        for batch in over:
            del self.batches[batch.id]
        forgotten = [each for each in self.deliveries.values() if each.kept_until is not None and each.kept_until < self.clock()]
        for delivery in forgotten:
            del self.deliveries[delivery.id]
        return sum(each.size_bytes for each in old) + sum(len(each.to_json()) for each in (*over, *forgotten))

    def prepare(self) -> None:
        """There is nothing to set up."""

    def probe(self) -> None:
        self._reach()

    def check(self) -> None:
        self._reach()
        if self.is_full:
            raise errors.StorageFull(private="made full by a test")

    def close(self) -> None:
        for each in list(self.open_files):
            each.close()

    def _there(self, entry: Entry) -> bytes:
        if entry.source is None:
            raise errors.NotFound(private="without a source yet")
        return entry.source

    def _opened(self, data: bytes) -> MemoryBlob:
        blob = MemoryBlob(self, data)
        self.open_files.add(blob)
        return blob

    def _entry(self, job_id: str) -> Entry:
        self._reach()
        if job_id not in self.entries:
            raise errors.NotFound(private=job_id)
        return self.entries[job_id]

    def _reach(self) -> None:
        if self.is_down:
            raise errors.BackendUnavailable(part="store", retry_after_s=5, private="taken down by a test")
