"""Uploads that may be interrupted and resumed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from backend.core.resumable import UploadInfo, UploadState
from backend.ports.store import Upload


class UploadWriter(Protocol):
    """One resumable upload in the only hands that may change it; always ended by ``close``. What was written and not kept is then gone.

    Every change raises ``NotFound`` when the upload was erased meanwhile, and ``StorageFull``.
    """

    @property
    def info(self) -> UploadInfo: ...

    @property
    def state(self) -> UploadState: ...

    @property
    def position_bytes(self) -> int:
        """``state.offset_bytes`` and what was written since."""

    def write(self, chunk: bytes) -> None: ...

    def receive_from_fd(self, source_fd: int, most_bytes: int) -> int:
        """As ``Upload.receive_from_fd``."""

    def read_head(self, length: int) -> bytes:
        """The upload's first bytes, those just written among them."""

    def start_checksum(self, algorithm: str) -> None:
        """From here on, what is written is summed with ``algorithm`` (hashlib's name)."""

    def checksum(self) -> bytes:
        """The digest of what was written since ``sum_up``."""

    def save(self, now: float) -> None:
        """What was written is on disk and counts."""

    def checkpoint(self, now: float) -> None:
        """As ``keep``, in its own time: what fails is raised by a later call. Does nothing while the one before is under way."""

    def discard_unsaved(self) -> None:
        """What was written since the last ``keep`` never was."""

    def set_length(self, length_bytes: int, now: float) -> None: ...

    def is_takeover_requested(self) -> bool:
        """Whether somebody else has asked for this upload since it was opened, or has erased it."""

    def create_upload(self) -> Upload:
        """All of it, ready for ``Store.commit`` without copying a byte; it stays here too until ``conclude``."""

    def mark_as_job(self, now: float) -> None:
        """It has become its job: the bytes are the job's now, the record stays."""

    def close(self) -> None: ...


class Uploads(Protocol):
    """Uploads that may be interrupted and resumed, by whichever process. What a method here returned from is on disk."""

    def create(self, info: UploadInfo, state: UploadState, parts: Sequence[str] = ()) -> bool:
        """With ``parts``, their bytes in order are the upload's. Raises ``NotFound`` for a part that is not there, ``StorageFull``.

        False when there is an upload of that id already; it is left as it is.
        """

    def find(self, upload_id: str) -> tuple[UploadInfo, UploadState]:
        """Whoever may be writing to it. Raises ``NotFound``."""

    def open(self, upload_id: str) -> UploadWriter | None:
        """To change it; None while somebody else, in any process, has it open. A process that dies lets go. Raises ``NotFound``."""

    def request_takeover(self, upload_id: str) -> None:
        """Ask whoever has it open to let go."""

    def erase(self, upload_id: str) -> int:
        """The bytes freed; 0 when there was nothing."""

    def all(self) -> Iterator[tuple[UploadInfo, UploadState]]:
        """In no order."""
