"""Results in a bucket. An encoder writes to a file of this machine, which is sent when it is complete."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from backend import errors
from backend.adapters.files.blob import FileBlob
from backend.adapters.files.disk import translate_errors as translate_disk_errors
from backend.adapters.files.result_files import FileResult
from backend.adapters.s3.store_objects import StoreObjects
from backend.core.formats import SNIFF_BYTES, sniff


class S3Result(FileResult):
    can_save_again = True

    def __init__(self, path: Path, send: Callable[[Path], None], name: str) -> None:
        super().__init__(path)
        self._send, self._name, self._sha256 = send, name, ""

    def save(self, *, durable: bool = True) -> tuple[str, str]:
        """What the service has taken is durable in any case. What it has not can be sent again."""
        if not self._sha256:
            _, self._sha256 = super().save(durable=False)
        self._send(self.path)
        self.discard()
        return self._name, self._sha256


class S3ResultFiles(StoreObjects):
    def create_result(self, job_id: str, token: str) -> S3Result:
        self.check_job_exists(job_id)
        name = f"result-{token}.webp"
        key = self.job_key(job_id, name)
        with translate_disk_errors():
            return S3Result(self.new_spool_path(), lambda path: self.bucket.upload(key, path, _media_type(path)), name)

    def open_result(self, job_id: str, file: str) -> FileBlob:
        return self.open(self.job_key(job_id, os.path.basename(file)), errors.Gone)

    def reuse_result(self, from_id: str, file: str, job_id: str, token: str) -> str:
        self.check_job_exists(job_id)
        name = f"result-{token}.webp"
        self.bucket.copy(self.job_key(from_id, os.path.basename(file)), self.job_key(job_id, name), errors.Gone)
        return name


def _media_type(path: Path) -> str:
    """By its first bytes: with ``never_larger``, a result may have its source's format."""
    with translate_disk_errors(), path.open("rb") as file:
        known = sniff(file.read(SNIFF_BYTES))
    return known.media_type if known else "application/octet-stream"
