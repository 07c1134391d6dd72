"""The images as they were uploaded, and the jobs that are made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from backend.core.image_headers import ReadAt
from backend.core.job import Manifest
from backend.ports.blob import Blob

T = TypeVar("T")


class Upload(Protocol):
    """Bytes on their way into the store. Nobody else sees them before ``SourceFiles.commit_job`` or ``attach_source``; end it with one of these
    or with ``discard``.

    An error may be raised by a later call than the one whose bytes it concerns, at the latest by the commit.
    """

    @property
    def size_bytes(self) -> int: ...

    def write(self, chunk: bytes) -> None:
        """Raises ``StorageFull``."""

    def receive_from_fd(self, source_fd: int, most_bytes: int) -> int:
        """Write what the socket ``source_fd`` has received, at most ``most_bytes``, and return how many bytes that were.

        0 where nothing has come, where the socket has ended, and where this upload cannot read sockets. Raises ``StorageFull``.
        """

    def sha256(self) -> str: ...

    def inspect(self, look: Callable[[ReadAt, int], T]) -> T:
        """Return ``look(read_at, size_bytes)``. It is called where blocking is allowed, or on a few bytes in memory."""

    def discard(self) -> None:
        """May be called twice, and after a commit."""


class SourceFiles(Protocol):
    """What a method returned from is on disk."""

    def create_upload(self) -> Upload:
        """Raises ``StorageFull`` when less than the minimum is free."""

    def reuse_source(self, manifest: Manifest) -> Upload:
        """The source of an earlier job as an upload, without a copy. Raises ``NotFound``."""

    def commit_job(self, upload: Upload, manifest: Manifest) -> bool:
        """Make the source and its manifest visible together, synced unless the job is ephemeral. Raises ``StorageFull``.

        False when there is a job of that id already; the upload is discarded then.
        """

    def reserve(self, manifest: Manifest) -> None:
        """Make a job visible, synced, whose source is attached later. Raises ``StorageFull``."""

    def attach_source(self, upload: Upload, manifest: Manifest) -> None:
        """Give a reserved job its source and its complete manifest, synced. Raises ``NotFound`` when it was erased meanwhile, ``StorageFull``."""

    def open_source(self, job_id: str) -> Blob:
        """Raises ``NotFound``."""
