"""The converted images."""

from __future__ import annotations

from typing import Protocol

from backend.ports.blob import Blob


class ResultFile(Protocol):
    """A result while it is written; ``fd`` is open for reading and writing. End it with ``save`` or ``discard``.

    ``can_save_again``: after a ``save`` that failed, it may be called once more. A file whose sync failed may not (fsync(2)).
    """

    fd: int
    can_save_again: bool

    def save(self, *, durable: bool = True) -> tuple[str, str]:
        """Close the file and return its name and SHA-256, for ``core.job.Result``. Synced if ``durable``.

        Raises ``StorageFull``, ``BackendUnavailable``; then it is still to be discarded. Nobody sees it before ``JobRecords.commit_outcome``.
        """

    def discard(self) -> None: ...


class ResultFiles(Protocol):
    def create_result(self, job_id: str, token: str) -> ResultFile:
        """``token`` tells the files of several encoders apart. Raises ``NotFound`` when the job was erased, ``StorageFull``."""

    def open_result(self, job_id: str, file: str) -> Blob:
        """Raises ``Gone``."""

    def reuse_result(self, from_id: str, file: str, job_id: str, token: str) -> str:
        """Give the result of job ``from_id`` to ``job_id`` too, and return its name there. Erasing one job leaves the other's result.

        Nothing is copied where the store has links. Raises ``Gone`` when there is no such result, ``NotFound`` when there is no job ``job_id``.
        """
