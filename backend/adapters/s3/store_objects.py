"""The objects of an S3 store, and where each thing lies.

::

    <prefix>/jobs/<id>/source-<random>~…    the uploaded bytes; the rest of the name is the job's line of the index (``source_names``)
    <prefix>/jobs/<id>/manifest.json        makes it a job; its metadata name the source
    <prefix>/jobs/<id>/result-<token>.webp
    <prefix>/jobs/<id>/outcome.json         how it ended
    <prefix>/batches/<id>.json              which jobs came together
    <prefix>/webhooks/pending/<id>.json     what is to be sent when, and what was tried
    <prefix>/webhooks/ended/<id>.json       the same of a delivery that has ended
    <prefix>/uploads/<id>/                  a resumable upload (``upload_objects``)
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from backend import errors
from backend.adapters.files.blob import FileBlob
from backend.adapters.files.disk import translate_errors as translate_disk_errors
from backend.adapters.files.store import FileStore
from backend.adapters.s3.bucket import Bucket

CHECK_EVERY_S = 2.0
SOURCE = "source"
"""The member of a manifest's metadata that names the source, and the beginning of that name."""


class StoreObjects:
    """``spool`` holds bytes on their way in a folder of this machine: what is uploaded, written by an encoder, or read."""

    def __init__(self, bucket: str, prefix: str, spool: FileStore) -> None:
        self.bucket, self.prefix, self.spool = Bucket(bucket), f"{prefix.strip('/')}/".lstrip("/"), spool
        self._checked_s = -CHECK_EVERY_S

    def job_key(self, job_id: str, name: str) -> str:
        return f"{self.prefix}jobs/{_safe(job_id)}/{name}"

    def manifest_key(self, job_id: str) -> str:
        return self.job_key(job_id, "manifest.json")

    def batch_key(self, batch_id: str) -> str:
        return f"{self.prefix}batches/{_safe(batch_id)}.json"

    def webhook_key(self, delivery_id: str, *, is_pending: bool) -> str:
        return f"{self.prefix}webhooks/{'pending' if is_pending else 'ended'}/{_safe(delivery_id)}.json"

    def upload_key(self, upload_id: str, name: str) -> str:
        return f"{self.prefix}uploads/{_safe(upload_id)}/{name}"

    def source_key(self, job_id: str) -> str:
        """Raises ``NotFound`` for an unknown job, and for one that is still without its source."""
        name = self.bucket.get(self.manifest_key(job_id))[1].get(SOURCE)
        if name is None:
            raise errors.NotFound(private=f"job {job_id} has no source yet")
        return self.job_key(job_id, name)

    def check(self) -> None:
        """Asks the service at most every ``CHECK_EVERY_S``."""
        self.spool.check()
        if time.monotonic() - self._checked_s >= CHECK_EVERY_S:
            self.bucket.check()
            self._checked_s = time.monotonic()

    def check_job_exists(self, job_id: str) -> None:
        """Raises ``NotFound``."""
        self.bucket.etag(self.manifest_key(job_id))

    def new_spool_path(self) -> Path:
        return self.spool.new_path()

    def open(self, key: str, missing: type[errors.GatewayError]) -> FileBlob:
        """The object as a file without a name: it is gone when it is closed. Raises ``missing``."""
        path = self.new_spool_path()
        try:
            self.bucket.download(key, path, missing)
            with translate_disk_errors():
                return FileBlob(path)
        finally:
            path.unlink(missing_ok=True)


def _safe(name: str) -> str:
    """Ids are checked long before this. One that could name a key outside its folder is replaced by its digest, which names nothing."""
    return name if "/" not in name and name not in ("", ".", "..") else hashlib.sha256(name.encode()).hexdigest()
