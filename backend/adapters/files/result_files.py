"""Results in the folders of their jobs."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from backend import errors
from backend.adapters.files import disk
from backend.adapters.files.blob import FileBlob
from backend.adapters.files.disk import sync_data, translate_errors
from backend.adapters.files.store_folder import StoreFolder

READ_BYTES = 1 << 20


class FileResult:
    can_save_again = False

    def __init__(self, path: Path) -> None:
        """Raises ``OSError``."""
        self.path = path
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)

    def save(self, *, durable: bool = True) -> tuple[str, str]:
        digest = hashlib.sha256()
        with translate_errors():
            os.lseek(self.fd, 0, os.SEEK_SET)
            while chunk := os.read(self.fd, READ_BYTES):
                digest.update(chunk)
            if durable:
                sync_data(self.fd)
            self.close()
        return self.path.name, digest.hexdigest()

    def discard(self) -> None:
        self.close()
        disk.discard(self.path)

    def close(self) -> None:
        fd, self.fd = self.fd, -1
        disk.close(fd)


class FileResultFiles(StoreFolder):
    def create_result(self, job_id: str, token: str) -> FileResult:
        with translate_errors(errors.NotFound):
            return FileResult(self.job_folder(job_id) / f"result-{token}.webp")

    def open_result(self, job_id: str, file: str) -> FileBlob:
        with translate_errors(errors.Gone):
            return FileBlob(self.job_folder(job_id) / os.path.basename(file))

    def reuse_result(self, from_id: str, file: str, job_id: str, token: str) -> str:
        """Link the file and sync its bytes: those of an ephemeral job were not. ``commit_outcome`` syncs the folder with the new name."""
        name = f"result-{token}.webp"
        known, own = self.job_folder(from_id) / os.path.basename(file), self.job_folder(job_id)
        with translate_errors(errors.NotFound):
            os.stat(own)
            with translate_errors(errors.Gone):
                os.link(known, own / name)
            _sync_file(own / name)
        return name


def _sync_file(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        sync_data(fd)
    finally:
        disk.close(fd)
