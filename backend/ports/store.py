"""The store: sources, manifests, results and how each job ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from backend.core.batch import Batch
from backend.core.image_headers import ReadAt
from backend.core.job import Manifest, Status

T = TypeVar("T")


class SocketChunk(Protocol):
    """The next bytes of a body, which are to be had from its socket."""

    def receive_into(self, take: Callable[[int, int], int], most_bytes: int) -> int:
        """How many ``take(source_fd, most_bytes)`` took; it is called once at most. 0: what there is comes by another way."""


class Upload(Protocol):
    """Bytes on their way into the store; invisible until ``Stores.commit``. Always ended by ``commit`` or ``discard``."""

    @property
    def size_bytes(self) -> int: ...

    def write(self, chunk: bytes) -> None:
        """Raises ``StorageFull``."""

    def receive_from_fd(self, source_fd: int, most_bytes: int) -> int:
        """Write what a socket has, without its coming by, and at most so much; how much it was. 0: nothing, or it cannot. Raises ``StorageFull``."""

    def sha256(self) -> str: ...

    def inspect(self, look: Callable[[ReadAt, int], T]) -> T:
        """What ``look(read_at, size_bytes)`` returns; it runs where blocking is allowed, or on a little that is in memory."""

    def discard(self) -> None: ...


class ResultFile(Protocol):
    """A result being written: ``fd`` is open for reading and writing."""

    fd: int

    def save(self, *, durable: bool = True) -> tuple[str, str]:
        """Sync the bytes, if they shall last; (file, sha256) for the ``Result``. Nobody sees it before ``Store.conclude``. Raises ``StorageFull``."""

    def discard(self) -> None: ...


class Blob(Protocol):
    """Stored bytes, open for reading. ``read_at`` never returns more than ``length`` bytes; empty at the end."""

    size_bytes: int

    def read_at(self, offset: int, length: int) -> bytes: ...

    def fileno(self) -> int: ...

    def close(self) -> None: ...


class Store(Protocol):
    """The truth: sources, manifests, results and how each job ended. What a method here returned from is on disk."""

    def create_upload(self) -> Upload:
        """Raises ``StorageFull`` when less than the floor is free."""

    def reuse_source(self, manifest: Manifest) -> Upload:
        """An earlier job's source as an upload, without a copy. Raises ``NotFound``."""

    def commit_job(self, upload: Upload, manifest: Manifest) -> bool:
        """Source and manifest become visible together, synced (but for a passing job). Raises ``StorageFull``.

        False when there is a job of that id already; the upload is discarded then.
        """

    def reserve(self, manifest: Manifest) -> None:
        """A job whose source is still to come becomes visible, synced. Raises ``StorageFull``."""

    def attach_source(self, upload: Upload, manifest: Manifest) -> None:
        """The source of a promised job, and its manifest as it is from now on, synced. Raises ``NotFound`` when it was erased, ``StorageFull``."""

    def save_batch(self, batch: Batch) -> None:
        """Synced. Raises ``StorageFull``."""

    def batch(self, batch_id: str) -> Batch:
        """Raises ``NotFound``."""

    def manifest(self, job_id: str) -> Manifest:
        """Raises ``NotFound``."""

    def outcome(self, job_id: str) -> Status | None:
        """How the job ended, or None while it has not."""

    def open_source(self, job_id: str) -> Blob:
        """Raises ``NotFound``."""

    def open_result(self, job_id: str, file: str) -> Blob:
        """Raises ``Gone``."""

    def create_result(self, job_id: str, token: str) -> ResultFile:
        """Raises ``NotFound`` when the job was erased, ``StorageFull``."""

    def reuse_result(self, from_id: str, file: str, job_id: str, token: str) -> str:
        """Give another job's result to this one too, without a copy; its name here. Each is erased by itself. Raises ``Gone``, ``NotFound``."""

    def commit_outcome(self, job_id: str, status: Status, *, durable: bool = True) -> bool:
        """Commit the end, once: True for the first, False when another end stands. Raises ``NotFound`` when the job was erased.

        Synced, but where it need not last: a passing job's caller gets the bytes or hears that there are none.

        Whatever encoders kept that is not the result of the end that stands is deleted.
        """

    def erase(self, job_id: str, *, durable: bool = True) -> int:
        """Delete source, result and record; return the bytes freed. ``durable=False``: a power cut may bring it back until it expires."""

    def manifests(self) -> Iterator[Manifest]:
        """Every job, in no order."""

    def clean_up(self, older_than_s: float) -> int:
        """Delete half-written things that nobody has touched for so long, and what an erase that was cut short left; the bytes freed."""

    def check(self) -> None:
        """Raises ``StorageFull`` or ``BackendUnavailable`` when nothing could be stored now."""
