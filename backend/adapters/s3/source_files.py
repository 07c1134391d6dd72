"""Sources in a bucket.

There is no rename, but a put that only succeeds where nothing is (``If-None-Match: *``). The source is put first, under a name of its own, then the
manifest by such a put: a job is there as a whole or not at all, and is made once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from backend import errors
from backend.adapters.files.blob import FileBlob
from backend.adapters.files.upload import FileUpload
from backend.adapters.s3.bucket import AlreadyExists
from backend.adapters.s3.source_names import source_name
from backend.adapters.s3.store_objects import SOURCE, StoreObjects
from backend.core.image_headers import ReadAt
from backend.core.job import Manifest
from backend.ports.source_files import Upload

T = TypeVar("T")
log = logging.getLogger(__name__)


class CopiedUpload:
    """The source of an earlier job, copied inside the service when it is committed. It takes no bytes."""

    def __init__(self, objects: StoreObjects, key: str, manifest: Manifest) -> None:
        self.key, self.size_bytes = key, manifest.source.bytes
        self._objects, self._sha256 = objects, manifest.source.sha256

    def write(self, chunk: bytes) -> None:
        raise AssertionError("this upload is complete")

    def receive_from_fd(self, source_fd: int, most_bytes: int) -> int:
        raise AssertionError("this upload is complete")

    def sha256(self) -> str:
        return self._sha256

    def inspect(self, look: Callable[[ReadAt, int], T]) -> T:
        blob = self._objects.open(self.key, errors.NotFound)
        try:
            return look(blob.read_at, blob.size_bytes)
        finally:
            blob.close()

    def discard(self) -> None:
        """Nothing was made for it."""


class S3SourceFiles(StoreObjects):
    def create_upload(self) -> FileUpload:
        self.check()
        return self.spool.create_upload()

    def reuse_source(self, manifest: Manifest) -> CopiedUpload:
        return CopiedUpload(self, self.source_key(manifest.id), manifest)

    def commit_job(self, upload: Upload, manifest: Manifest) -> bool:
        name = self._put_source(upload, manifest)
        try:
            self.bucket.put_new(self.manifest_key(manifest.id), manifest.to_json(), {SOURCE: name})
        except AlreadyExists:
            self.bucket.delete([self.job_key(manifest.id, name)])
            upload.discard()
            return False
        except errors.GatewayError:
            self._take_back(manifest.id, name)
            raise
        upload.discard()
        return True

    def reserve(self, manifest: Manifest) -> None:
        try:
            self.bucket.put_new(self.manifest_key(manifest.id), manifest.to_json(), {})
        except AlreadyExists:
            raise errors.BackendUnavailable(part="store", retry_after_s=5, private=f"job {manifest.id} is there already") from None

    def attach_source(self, upload: Upload, manifest: Manifest) -> None:
        """The source is put first. The manifest is only replaced while the reserved one is there (``If-Match``)."""
        key = self.manifest_key(manifest.id)
        etag = self.bucket.etag(key)
        name = self._put_source(upload, manifest)
        try:
            self.bucket.replace(key, manifest.to_json(), {SOURCE: name}, etag)
        except errors.NotFound:
            self.bucket.delete([self.job_key(manifest.id, name)])
            raise
        upload.discard()

    def open_source(self, job_id: str) -> FileBlob:
        return self.open(self.source_key(job_id), errors.NotFound)

    def _put_source(self, upload: Upload, manifest: Manifest) -> str:
        name, job_id = source_name(manifest), manifest.id
        if isinstance(upload, CopiedUpload):
            self.bucket.copy(upload.key, self.job_key(job_id, name), errors.NotFound)
        else:
            assert isinstance(upload, FileUpload)
            self.bucket.upload(self.job_key(job_id, name), upload.path, "application/octet-stream")
        return name

    def _take_back(self, job_id: str, name: str) -> None:
        """A put that failed may have stored the manifest all the same. Its client heard of an error, so manifest and source are deleted."""
        try:
            self.bucket.delete([self.manifest_key(job_id), self.job_key(job_id, name)])
        except errors.GatewayError as error:
            log.error("a job that could not be stored could not be taken back either: %s", error)
