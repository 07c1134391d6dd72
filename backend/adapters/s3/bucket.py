"""A bucket of an S3-compatible service: the few operations that the store needs, with every error of boto3 translated."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import boto3
import urllib3
from boto3.exceptions import Boto3Error, S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError, NoCredentialsError, PartialCredentialsError
from botocore.parsers import ResponseParserError

from backend import errors
from backend.adapters.files.disk import translate_errors as translate_disk_errors
from backend.adapters.s3.circuit import Circuit

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef

MISSING = {"404", "NoSuchKey", "NotFound"}
EXISTS = {"412", "PreconditionFailed"}
BUSY = {"409", "ConditionalRequestConflict"}
FULL = {"507", "InsufficientStorage", "XMinioStorageFull", "QuotaExceeded", "EntityTooLarge"}
NOT_LET_IN = {"403", "AccessDenied", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch", "TokenRefreshRequired"}
"""Credentials that expired, or were exchanged: they are read anew by a new client."""
NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)
RENEW_CLIENT_S = 10.0
"""A client that is younger stays: making one takes a third of a second of processor time."""
BROKEN = (BotoCoreError, Boto3Error, ResponseParserError, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)
"""What a service that is away, falls silent or says nonsense makes boto3 raise, and what lies below it."""
PAGE = 1000
"""Keys of one listing."""
BUSY_TRIES = 5
CHUNK_BYTES = 256 << 10
SLOWEST_BYTES_PER_S, SLOW_START_S = 64 << 10, 10.0
"""A body that comes more slowly than this, after so long, is given up."""
CONFIG = Config(
    connect_timeout=2,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 2},
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
"""A service that says nothing is given up after some 20 s: a request is answered then, and an encoder puts its job off.

Checksums that not every S3-compatible service knows are sent only where the protocol demands them; TLS guards the bytes on their way."""
IN_THIS_THREAD = TransferConfig(use_threads=False)


class AlreadyExists(Exception):
    """There is an object where ``Bucket.put_new`` was to put one."""


class Changed(Exception):
    """The object that ``Bucket.swap`` was to replace is another one by now, or gone."""


@contextmanager
def translate_errors(missing: type[errors.GatewayError] | None = None) -> Iterator[None]:
    """Turn boto3's errors into ``missing`` for a missing object, ``StorageFull`` for a full service, else ``BackendUnavailable``."""
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        if missing and code in MISSING:
            raise missing(private=str(error)) from error
        if code in FULL:
            raise errors.StorageFull(private=str(error)) from error
        raise errors.BackendUnavailable(part="store", retry_after_s=5, private=str(error)) from error
    except BROKEN as error:
        raise errors.BackendUnavailable(part="store", retry_after_s=5, private=repr(error)) from error


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


class Bucket:
    """Every thread has a client of its own, so that nothing is shared between a gateway's loop and its threads. All methods block."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._own = threading.local()
        self._circuit = Circuit()

    @property
    def client(self) -> S3Client:
        client: S3Client | None = getattr(self._own, "client", None)
        if client is None:
            client = self._own.client = boto3.session.Session().client("s3", config=CONFIG)
            self._own.made_s = time.monotonic()
        return client

    @contextmanager
    def _call(self, missing: type[errors.GatewayError] | None = None) -> Iterator[None]:
        """Raises as ``translate_errors``."""
        with translate_errors(missing), self._circuit.call():
            try:
                yield
            except (ClientError, BotoCoreError) as error:
                self._note_credentials(error)
                raise

    def _note_credentials(self, error: ClientError | BotoCoreError) -> None:
        """Where ``error`` says that they are not good, this thread's next client reads them anew."""
        is_refused = code_of(error) in NOT_LET_IN if isinstance(error, ClientError) else isinstance(error, NO_CREDENTIALS)
        if is_refused and time.monotonic() - self._own.made_s > RENEW_CLIENT_S:
            self._own.client.close()
            self._own.client = None

    def check(self) -> None:
        with self._call():
            self.client.head_bucket(Bucket=self.name)

    def get(self, key: str) -> tuple[bytes, dict[str, str]]:
        """The object's bytes and metadata. Raises ``NotFound``."""
        with self._call(errors.NotFound):
            found = self.client.get_object(Bucket=self.name, Key=key)
            return found["Body"].read(), found["Metadata"]

    def get_with_etag(self, key: str) -> tuple[bytes, str]:
        """Raises ``NotFound``."""
        with self._call(errors.NotFound):
            found = self.client.get_object(Bucket=self.name, Key=key)
            return found["Body"].read(), found["ETag"]

    def read(self, key: str, first_byte: int, size_bytes: int) -> Iterator[bytes]:
        """So many bytes of the object, from ``first_byte`` on. Raises ``NotFound``."""
        with self._call(errors.NotFound):
            part = f"bytes={first_byte}-{first_byte + size_bytes - 1}"
            body = self.client.get_object(Bucket=self.name, Key=key, Range=part)["Body"]
            with closing(body):
                yield from body.iter_chunks(CHUNK_BYTES)

    def etag(self, key: str) -> str:
        """Raises ``NotFound``. A GET, for the answer to a HEAD does not say whether the object is missing or the whole bucket."""
        with self._call(errors.NotFound):
            found = self.client.get_object(Bucket=self.name, Key=key)
            found["Body"].read()
            return found["ETag"]

    def download(self, key: str, path: Path, missing: type[errors.GatewayError]) -> None:
        """Into a new file. Raises ``missing``. A body that is cut short, or trickles, is an error."""
        with self._call(missing), translate_disk_errors(), path.open("xb") as target:
            begun_s = time.monotonic()
            with closing(self.client.get_object(Bucket=self.name, Key=key)["Body"]) as body:
                while chunk := body.read(CHUNK_BYTES):
                    target.write(chunk)
                    if time.monotonic() - begun_s > SLOW_START_S + target.tell() / SLOWEST_BYTES_PER_S:
                        raise errors.BackendUnavailable(part="store", retry_after_s=5, private=f"{key} came too slowly")

    def put(self, key: str, text: str) -> None:
        with self._call():
            self.client.put_object(Bucket=self.name, Key=key, Body=text.encode())

    def put_new(self, key: str, text: str, metadata: dict[str, str]) -> None:
        """Raises ``AlreadyExists``. A service says “busy” while another such put is under way; that is tried again.

        boto3 repeats a put whose answer was lost, and then finds its own object: an object that equals this one after a retry counts as put.
        """
        for left in reversed(range(BUSY_TRIES)):
            with self._call():
                try:
                    self.client.put_object(Bucket=self.name, Key=key, Body=text.encode(), Metadata=metadata, IfNoneMatch="*")
                    return
                except ClientError as error:
                    code = code_of(error)
                    if code in EXISTS:
                        if _was_retried(error) and self.get(key) == (text.encode(), metadata):
                            return
                        raise AlreadyExists from None
                    if code not in BUSY or not left:
                        raise

    def replace(self, key: str, text: str, metadata: dict[str, str], etag: str) -> None:
        """Raises ``NotFound`` when the object with this ``etag`` is not there any more: services say 404 or 412 then.

        As in ``put_new``, an object that equals this one after a retry counts as put.
        """
        with self._call(errors.NotFound):
            try:
                self.client.put_object(Bucket=self.name, Key=key, Body=text.encode(), Metadata=metadata, IfMatch=etag)
            except ClientError as error:
                if code_of(error) not in EXISTS:
                    raise
                if not (_was_retried(error) and self.get(key) == (text.encode(), metadata)):
                    raise errors.NotFound(private=str(error)) from error

    def swap(self, key: str, text: str, etag: str) -> str:
        """Replace the object that has this ``etag``; the new one's. Raises ``Changed`` where that is not the object any more.

        A service says “busy” while another such put is under way: that one was first. boto3 repeats a put whose answer was lost, and then finds its
        own object changed: look at what is there.
        """
        with self._call():
            try:
                return self.client.put_object(Bucket=self.name, Key=key, Body=text.encode(), IfMatch=etag)["ETag"]
            except ClientError as error:
                if code_of(error) in EXISTS | BUSY | MISSING:
                    raise Changed from None
                raise

    def put_file(self, key: str, file: BinaryIO) -> None:
        """What ``file`` holds, from its position on, in one put."""
        with self._call(), translate_disk_errors():
            self.client.put_object(Bucket=self.name, Key=key, Body=file)

    def upload(self, key: str, path: Path, media_type: str) -> None:
        """In parts where the file is large (boto3's own threshold, 8 MiB)."""
        with translate_disk_errors():
            path.stat()
        with self._call():
            try:
                self.client.upload_file(str(path), self.name, key, ExtraArgs={"ContentType": media_type}, Config=IN_THIS_THREAD)
            except S3UploadFailedError as error:
                if isinstance(error.__cause__ or error.__context__, (ClientError, BotoCoreError)):
                    raise (error.__cause__ or error.__context__) from error  # type: ignore[misc]
                raise errors.BackendUnavailable(part="store", retry_after_s=5, private=str(error)) from error

    def copy(self, from_key: str, key: str, missing: type[errors.GatewayError]) -> None:
        """Raises ``missing``. No byte leaves the service."""
        with self._call(missing):
            self.client.copy_object(Bucket=self.name, Key=key, CopySource={"Bucket": self.name, "Key": from_key})

    def objects(self, prefix: str, after: str = "") -> Iterator[ObjectTypeDef]:
        """Sorted by key; those after the key ``after``."""
        paginator = self.client.get_paginator("list_objects_v2")
        pages = iter(paginator.paginate(Bucket=self.name, Prefix=prefix, StartAfter=after, PaginationConfig={"PageSize": PAGE}))
        while True:
            with self._call():
                page = next(pages, None)
            if page is None:
                return
            yield from page.get("Contents", [])

    def keys_after(self, prefix: str, after: str) -> tuple[list[str], bool]:
        """Up to ``PAGE`` keys that come after ``after`` ('' for the first), by one request, and whether these are all. Sorted."""
        with self._call():
            found = self.client.list_objects_v2(Bucket=self.name, Prefix=prefix, StartAfter=after or prefix, MaxKeys=PAGE)
            return [each["Key"] for each in found.get("Contents", [])], not found.get("IsTruncated", False)

    def delete(self, keys: list[str]) -> None:
        """One by one: DeleteObjects wants a checksum that not every service takes."""
        with self._call():
            for key in keys:
                self.client.delete_object(Bucket=self.name, Key=key)


def _was_retried(error: ClientError) -> bool:
    return bool(error.response.get("ResponseMetadata", {}).get("RetryAttempts"))
