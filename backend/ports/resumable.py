"""Uploads that may be interrupted and resumed, by any process of the gateway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from backend.core.resumable import UploadInfo, UploadState
from backend.ports.source_files import Upload


class UploadBytes(Protocol):
    """The bytes of one upload. What was written and not saved is gone after ``discard_unsaved`` or ``close``.

    An error may be raised by a later call than the one whose bytes it concerns, at the latest by ``save``. Every change raises ``NotFound``
    when the upload was erased meanwhile, and ``StorageFull``.
    """

    @property
    def position_bytes(self) -> int:
        """The bytes that are saved and those written since."""

    def write(self, chunk: bytes) -> None: ...

    def receive_from_fd(self, source_fd: int, most_bytes: int) -> int:
        """As ``Upload.receive_from_fd``."""

    def read_head(self, length: int) -> bytes:
        """The first bytes of the upload, unsaved ones among them."""

    def start_checksum(self, algorithm: str) -> None:
        """Update a checksum with what is written from here on; ``algorithm`` is hashlib's name."""

    def checksum(self) -> bytes:
        """The digest of what was written since ``start_checksum``."""

    def save(self, now: float) -> None:
        """Sync what was written and count it.

        A complete upload of which nothing was saved before may be stored as late as with its job, or by ``close``.
        """

    def checkpoint(self, now: float) -> None:
        """As ``save``, in the background. Does nothing while the last checkpoint is under way."""

    def discard_unsaved(self) -> None:
        """Drop what was written and is not stored yet."""


class UploadWriter(UploadBytes, Protocol):
    """One upload, open for writing.

    Where the store has locks, nobody else can change it before ``close``. Where it has none, several may have it open, and the first to save counts:
    ``save`` of another raises ``OffsetMismatch``, unless it has received the same bytes.
    """

    @property
    def info(self) -> UploadInfo: ...

    @property
    def state(self) -> UploadState: ...

    def set_length(self, length_bytes: int, now: float) -> None:
        """For an upload that began without one."""

    def is_takeover_requested(self) -> bool:
        """Whether somebody asked for the upload after it was opened here, went on with it, or erased it."""

    def create_upload(self) -> Upload:
        """The complete upload for ``SourceFiles.commit_job``. It stays here too until ``mark_as_job``.

        Raises ``Locked`` where another has just made its job.
        """

    def mark_as_job(self, now: float) -> None:
        """Record that the job was made, and drop the bytes here: they are the job's source now."""

    def close(self) -> None:
        """Release the lock. Raises as ``save`` where something was left to store."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An upload in a listing. ``version`` is another one after each change."""

    id: str
    version: str


class Uploads(Protocol):
    """What a method returned from is on disk."""

    def prepare(self) -> None:
        """Make what the uploads need, after ``Housekeeping.prepare``."""

    def create(self, info: UploadInfo, state: UploadState, parts: Sequence[str] = ()) -> bool:
        """With ``parts``, the upload consists of their bytes in that order. One that has a job already has no bytes here.

        Raises ``NotFound`` for a part that is not there, ``StorageFull``.

        False when there is an upload of that id already; it is left as it is.
        """

    def find(self, upload_id: str) -> tuple[UploadInfo, UploadState]:
        """Works without the lock. Raises ``NotFound``."""

    def open(self, upload_id: str) -> UploadWriter | None:
        """Open the upload for writing. Raises ``NotFound``.

        A store with locks locks it, and returns None while any process has it locked. The lock of a process that dies is released.
        """

    def request_takeover(self, upload_id: str) -> None:
        """Ask whoever has the upload locked to close it. Raises ``NotFound``."""

    def erase(self, upload_id: str) -> int:
        """Return the bytes freed; 0 when there was nothing."""

    def page(self, after: str, most: int) -> list[Listed]:
        """Up to ``most`` uploads whose ids come after ``after``, sorted; none at the end. Reads none of them."""
