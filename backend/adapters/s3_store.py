"""The store as objects of an S3-compatible service.

::

    <prefix>/jobs/<id>/source-<random>      the uploaded bytes
    <prefix>/jobs/<id>/manifest.json        makes it a job; its metadata name the source
    <prefix>/jobs/<id>/result-<token>.webp
    <prefix>/jobs/<id>/outcome.json         how it ended
    <prefix>/batches/<id>.json              which jobs came together

There is no rename and no link, but a put that only succeeds where nothing stands (``If-None-Match: *``): the source is put first, under a name
of its own, then the manifest so; a job is there whole or not at all, and is made once. ``outcome.json`` is put the same way, so a job ends once.

Bytes on their way in and out pass through a spool folder on this machine's disk: an upload is judged there before anything is sent, an encoder
reads and writes files, and whoever reads has a copy of its own, which no erasing disturbs.

Blocking. Each thread has a client of its own, so that nothing is shared between a gateway's loop and its threads.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import boto3
from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

from backend import errors
from backend.adapters.files.disk import translated as disk_translated
from backend.adapters.files.store import FileBlob, FileResult, FileStore, FileUpload
from backend.core.batch import Batch
from backend.core.image_headers import ReadAt
from backend.core.job import Manifest, Status
from backend.ports.store import Upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef

T = TypeVar("T")
log = logging.getLogger(__name__)
MISSING = {"404", "NoSuchKey", "NotFound"}
EXISTS = {"412", "PreconditionFailed"}
BUSY = {"409", "ConditionalRequestConflict"}
DENIED = {"403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AllAccessDisabled"}
NO_BUCKET = {"404", "NoSuchBucket", "InvalidBucketName", "400", "301", "PermanentRedirect"}
FULL = {"507", "InsufficientStorage", "XMinioStorageFull", "QuotaExceeded", "EntityTooLarge"}
SOURCE = "source"
PAGE = 1000
"""Keys of one listing."""
LOOK_AGAIN_S = 2.0
BUSY_TRIES = 5
COPY_BYTES = 1 << 20
CONFIG = Config(
    connect_timeout=5,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 3},
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
"""Checksums that not every S3-compatible service knows are sent only where the protocol demands them; TLS guards the bytes on their way."""
IN_THIS_THREAD = TransferConfig(use_threads=False)


class NotUsable(Exception):
    """One sentence for the operator: the bucket cannot serve as a store."""


class _Exists(Exception):
    """Something stands where a conditional put wanted to."""


@contextmanager
def translated(missing: type[errors.GatewayError] | None = None) -> Iterator[None]:
    """No exception of boto3 leaves the store: a missing object is ``missing``, a full service ``StorageFull``, the rest ``BackendUnavailable``."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if missing and code in MISSING:
            raise missing(private=str(error)) from error
        if code in FULL:
            raise errors.StorageFull(private=str(error)) from error
        raise errors.BackendUnavailable(part="store", retry_after_s=5, private=str(error)) from error
    except BotoCoreError as error:
        raise errors.BackendUnavailable(part="store", retry_after_s=5, private=repr(error)) from error


class CopiedUpload:
    """An earlier job's source, copied inside the service when it is committed. Takes no bytes."""

    def __init__(self, store: S3Store, key: str, manifest: Manifest) -> None:
        self.key, self.size_bytes = key, manifest.source.bytes
        self._store, self._sha256 = store, manifest.source.sha256

    def write(self, chunk: bytes) -> None:
        raise AssertionError("it is whole already")

    def receive_from_fd(self, source_fd: int, most_bytes: int) -> int:
        raise AssertionError("it is whole already")

    def sha256(self) -> str:
        return self._sha256

    def inspect(self, look: Callable[[ReadAt, int], T]) -> T:
        blob = self._store.fetch(self.key, errors.NotFound)
        try:
            return look(blob.read_at, blob.size_bytes)
        finally:
            blob.close()

    def discard(self) -> None:
        """There is nothing of its own."""


class S3Result(FileResult):
    """A result on this machine's disk until ``keep`` has sent it."""

    def __init__(self, path: Path, send: Callable[[Path], None], name: str) -> None:
        super().__init__(path)
        self._send, self._name = send, name

    def save(self, *, durable: bool = True) -> tuple[str, str]:
        """What the service took lasts in any case."""
        try:
            _, sha256 = super().save(durable=False)
            self._send(self.path)
        finally:
            self.discard()
        return self._name, sha256


class S3Store:
    """``spool`` keeps bytes on their way on this machine; its floor of free space holds for uploads. Safe for many processes on many machines."""

    def __init__(self, bucket: str, prefix: str, spool: FileStore) -> None:
        self._bucket, self._prefix, self._spool = bucket, f"{prefix.strip('/')}/".lstrip("/"), spool
        self._own = threading.local()
        self._seen_s = -LOOK_AGAIN_S

    def prepare(self) -> None:
        self._spool.prepare()

    def probe(self) -> None:
        """Whether the bucket can be a store, tried out. Raises ``NotUsable``, and ``BackendUnavailable`` when it cannot be reached."""
        key = f"{self._prefix}probe-{secrets.token_hex(8)}"
        try:
            self._s3.head_bucket(Bucket=self._bucket)
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=b"", IfNoneMatch="*")
            try:
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=b"", IfNoneMatch="*")
                raise NotUsable(f"The service of bucket {self._bucket} ignores “If-None-Match: *” on PUT; the gateway needs conditional writes.")
            except ClientError as error:
                if _code(error) not in EXISTS:
                    raise
            finally:
                self._s3.delete_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            code = _code(error)
            if code in DENIED:
                raise NotUsable(f"The credentials may not read and write the bucket {self._bucket} ({code}).") from error
            if code in NO_BUCKET:
                raise NotUsable(f"There is no bucket {self._bucket} ({code}).") from error
            raise errors.BackendUnavailable(part="store", retry_after_s=5, private=str(error)) from error
        except BotoCoreError as error:
            if isinstance(error, (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, NoRegionError, ProfileNotFound)):
                advice = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or what else boto3 reads."
                raise NotUsable(f"{error} {advice}") from error
            raise errors.BackendUnavailable(part="store", retry_after_s=5, private=repr(error)) from error

    def create_upload(self) -> FileUpload:
        self.check()
        return self._spool.create_upload()

    def reuse_source(self, manifest: Manifest) -> CopiedUpload:
        return CopiedUpload(self, self._source_key(manifest.id), manifest)

    def commit_job(self, upload: Upload, manifest: Manifest) -> bool:
        name = self._put_source(upload, manifest.id)
        try:
            self._put_new(self._key(manifest.id, "manifest.json"), manifest.to_json(), {SOURCE: name})
        except _Exists:
            self._delete([self._key(manifest.id, name)])
            upload.discard()
            return False
        except errors.GatewayError:
            self._take_back(manifest.id, name)
            raise
        upload.discard()
        return True

    def reserve(self, manifest: Manifest) -> None:
        try:
            self._put_new(self._key(manifest.id, "manifest.json"), manifest.to_json(), {})
        except _Exists:
            raise errors.BackendUnavailable(part="store", retry_after_s=5, private=f"job {manifest.id} is there already") from None

    def attach_source(self, upload: Upload, manifest: Manifest) -> None:
        """The source comes first; the manifest is replaced only where the promise still stands (``If-Match``)."""
        key = self._key(manifest.id, "manifest.json")
        with translated(errors.NotFound):
            etag = self._s3.head_object(Bucket=self._bucket, Key=key)["ETag"]
        name = self._put_source(upload, manifest.id)
        try:
            with translated(errors.NotFound):
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=manifest.to_json().encode(), Metadata={SOURCE: name}, IfMatch=etag)
        except errors.NotFound:
            self._delete([self._key(manifest.id, name)])
            raise
        upload.discard()

    def save_batch(self, batch: Batch) -> None:
        with translated():
            self._s3.put_object(Bucket=self._bucket, Key=self._batch_key(batch.id), Body=batch.to_json().encode())

    def batch(self, batch_id: str) -> Batch:
        return Batch.from_json(self._get(self._batch_key(batch_id))[0])

    def manifest(self, job_id: str) -> Manifest:
        return Manifest.from_json(self._get(self._key(job_id, "manifest.json"))[0])

    def outcome(self, job_id: str) -> Status | None:
        try:
            return Status.from_json(self._get(self._key(job_id, "outcome.json"))[0])
        except errors.NotFound:
            return None

    def open_source(self, job_id: str) -> FileBlob:
        return self.fetch(self._source_key(job_id), errors.NotFound)

    def open_result(self, job_id: str, file: str) -> FileBlob:
        return self.fetch(self._key(job_id, os.path.basename(file)), errors.Gone)

    def create_result(self, job_id: str, token: str) -> S3Result:
        self._check_there(job_id)
        name = f"result-{token}.webp"
        with disk_translated():
            return S3Result(self._spool_path(), lambda path: self._put_file(self._key(job_id, name), path, "image/webp"), name)

    def reuse_result(self, from_id: str, file: str, job_id: str, token: str) -> str:
        self._check_there(job_id)
        name = f"result-{token}.webp"
        self._copy(self._key(from_id, os.path.basename(file)), self._key(job_id, name), errors.Gone)
        return name

    def commit_outcome(self, job_id: str, status: Status, *, durable: bool = True) -> bool:
        """Looked at once more afterwards: an erase that came in between must not leave an end without a job."""
        self._check_there(job_id)
        is_first = True
        try:
            self._put_new(self._key(job_id, "outcome.json"), status.to_json(), {})
        except _Exists:
            is_first = False
        try:
            self._check_there(job_id)
        except errors.NotFound:
            self.erase(job_id)
            raise
        self._sweep_results(job_id, status if is_first else self.outcome(job_id))
        return is_first

    def erase(self, job_id: str, *, durable: bool = True) -> int:
        """The manifest goes first, so that a kill in the midst leaves only debris for ``tidy``."""
        folder = self._key(job_id, "")
        found = list(self._list(folder))
        if not found:
            return 0
        self._delete([f"{folder}manifest.json"])
        self._delete([each["Key"] for each in found])
        return sum(each["Size"] for each in found)

    def manifests(self) -> Iterator[Manifest]:
        """Passes over what is erased meanwhile and what nobody can read."""
        for each in self._list(f"{self._prefix}jobs/"):
            key = each["Key"]
            if not key.endswith("/manifest.json"):
                continue
            try:
                yield Manifest.from_json(self._get(key)[0])
            except errors.NotFound:
                continue
            except (ValueError, TypeError, KeyError) as error:
                log.warning("the manifest %s cannot be read: %r", key, error)

    def clean_up(self, older_than_s: float) -> int:
        return self._spool.clean_up(older_than_s) + self._tidy_jobs(older_than_s) + self._tidy_batches()

    def check(self) -> None:
        """The bucket is asked at most every ``LOOK_AGAIN_S``."""
        self._spool.check()
        if time.monotonic() - self._seen_s >= LOOK_AGAIN_S:
            with translated():
                self._s3.head_bucket(Bucket=self._bucket)
            self._seen_s = time.monotonic()

    def fetch(self, key: str, missing: type[errors.GatewayError]) -> FileBlob:
        """The object as a file that has no name: gone when it is closed."""
        path = self._spool_path()
        try:
            with translated(missing), disk_translated(), path.open("xb") as target:
                body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"]
                for chunk in body.iter_chunks(COPY_BYTES):
                    target.write(chunk)
            with disk_translated():
                return FileBlob(path)
        finally:
            path.unlink(missing_ok=True)

    @property
    def _s3(self) -> S3Client:
        client: S3Client | None = getattr(self._own, "client", None)
        if client is None:
            client = self._own.client = boto3.session.Session().client("s3", config=CONFIG)
        return client

    def _key(self, job_id: str, name: str) -> str:
        return f"{self._prefix}jobs/{_safe(job_id)}/{name}"

    def _batch_key(self, batch_id: str) -> str:
        return f"{self._prefix}batches/{_safe(batch_id)}.json"

    def _spool_path(self) -> Path:
        return self._spool.root / "incoming" / secrets.token_hex(16)

    def _source_key(self, job_id: str) -> str:
        name = self._get(self._key(job_id, "manifest.json"))[1].get(SOURCE)
        if name is None:
            raise errors.NotFound(private=f"the source of job {job_id} is still to come")
        return self._key(job_id, name)

    def _check_there(self, job_id: str) -> None:
        with translated(errors.NotFound):
            self._s3.head_object(Bucket=self._bucket, Key=self._key(job_id, "manifest.json"))

    def _get(self, key: str) -> tuple[bytes, dict[str, str]]:
        with translated(errors.NotFound):
            found = self._s3.get_object(Bucket=self._bucket, Key=key)
            return found["Body"].read(), found["Metadata"]

    def _put_source(self, upload: Upload, job_id: str) -> str:
        name = f"{SOURCE}-{secrets.token_hex(8)}"
        if isinstance(upload, CopiedUpload):
            self._copy(upload.key, self._key(job_id, name), errors.NotFound)
        else:
            assert isinstance(upload, FileUpload)
            self._put_file(self._key(job_id, name), upload.path, "application/octet-stream")
        return name

    def _put_file(self, key: str, path: Path, media_type: str) -> None:
        """In parts where it is large (boto3's own threshold, 8 MiB)."""
        with disk_translated():
            path.stat()
        with translated():
            try:
                self._s3.upload_file(str(path), self._bucket, key, ExtraArgs={"ContentType": media_type}, Config=IN_THIS_THREAD)
            except S3UploadFailedError as error:
                if isinstance(error.__cause__ or error.__context__, (ClientError, BotoCoreError)):
                    raise (error.__cause__ or error.__context__) from error  # type: ignore[misc]
                raise errors.BackendUnavailable(part="store", retry_after_s=5, private=str(error)) from error

    def _put_new(self, key: str, text: str, metadata: dict[str, str]) -> None:
        """Raises ``_Exists``. An answer that was lost may have been a success: what stands there then is compared.

        409 says that somebody is writing there just now: looked at again.
        """
        for left in reversed(range(BUSY_TRIES)):
            with translated():
                try:
                    self._s3.put_object(Bucket=self._bucket, Key=key, Body=text.encode(), Metadata=metadata, IfNoneMatch="*")
                    return
                except ClientError as error:
                    code = _code(error)
                    if code in EXISTS:
                        if self._was_retried(error) and self._get(key) == (text.encode(), metadata):
                            return
                        raise _Exists from None
                    if code not in BUSY or not left:
                        raise

    def _was_retried(self, error: ClientError) -> bool:
        return bool(error.response.get("ResponseMetadata", {}).get("RetryAttempts"))

    def _copy(self, from_key: str, key: str, missing: type[errors.GatewayError]) -> None:
        with translated(missing):
            self._s3.copy_object(Bucket=self._bucket, Key=key, CopySource={"Bucket": self._bucket, "Key": from_key})

    def _take_back(self, job_id: str, name: str) -> None:
        """A manifest whose put failed may stand there all the same: nobody was told of it, so it goes, and its source."""
        try:
            self._delete([self._key(job_id, "manifest.json"), self._key(job_id, name)])
        except errors.GatewayError as error:
            log.error("a job that could not be stored could not be taken back either: %s", error)

    def _sweep_results(self, job_id: str, outcome: Status | None) -> None:
        kept = outcome.result.file if outcome and outcome.result else None
        found = [each["Key"] for each in self._list(self._key(job_id, "result-"))]
        self._delete([key for key in found if key.rpartition("/")[2] != kept])

    def _tidy_jobs(self, older_than_s: float) -> int:
        """Objects of no job: the listing is sorted, so those of one job stand together."""
        freed, folder = 0, ""
        found: list[ObjectTypeDef] = []
        for each in [*self._list(f"{self._prefix}jobs/"), None]:
            at = each["Key"].rpartition("/")[0] if each else None
            if at != folder:
                freed += self._tidy_job(found, older_than_s)
                folder, found = at or "", []
            if each:
                found.append(each)
        return freed

    def _tidy_job(self, found: list[ObjectTypeDef], older_than_s: float) -> int:
        if not found or any(each["Key"].endswith("/manifest.json") for each in found):
            return 0
        if any(time.time() - each["LastModified"].timestamp() <= older_than_s for each in found):
            return 0
        self._delete([each["Key"] for each in found])
        return sum(each["Size"] for each in found)

    def _tidy_batches(self) -> int:
        freed = 0
        for each in self._list(f"{self._prefix}batches/"):
            try:
                is_over = Batch.from_json(self._get(each["Key"])[0]).expires_at < time.time()
            except errors.NotFound:
                continue
            except (ValueError, TypeError, KeyError):
                is_over = True
            if is_over:
                self._delete([each["Key"]])
                freed += each["Size"]
        return freed

    def _list(self, prefix: str) -> Iterator[ObjectTypeDef]:
        with translated():
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix, PaginationConfig={"PageSize": PAGE}):
                yield from page.get("Contents", [])

    def _delete(self, keys: list[str]) -> None:
        """One by one where there are few: DeleteObjects wants a checksum that not every service takes."""
        with translated():
            for key in keys:
                self._s3.delete_object(Bucket=self._bucket, Key=key)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _safe(name: str) -> str:
    """Ids are checked long before; a name that could leave its folder has none."""
    return name if "/" not in name and name not in ("", ".", "..") else hashlib.sha256(name.encode()).hexdigest()
