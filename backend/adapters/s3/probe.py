"""Try out, before the start, whether a bucket can be a store."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from botocore.exceptions import ClientError, NoRegionError, ProfileNotFound

from backend import errors
from backend.adapters.s3.bucket import Bucket
from backend.adapters.s3.calls import BROKEN, EXISTS, NO_CREDENTIALS, code_of
from backend.ports.housekeeping import NotUsable

DENIED = {"403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AllAccessDisabled"}
NO_BUCKET = {"404", "NoSuchBucket", "InvalidBucketName", "400", "301", "PermanentRedirect"}
UNKNOWN_CONDITION = {"501", "NotImplemented"}
WRONGLY_SET_UP = (*NO_CREDENTIALS, NoRegionError, ProfileNotFound)


def probe(bucket: Bucket, prefix: str) -> None:
    """Raises ``NotUsable``, and ``BackendUnavailable`` when the service does not answer. It leaves nothing behind."""
    try:
        bucket.client.head_bucket(Bucket=bucket.name)
        _try_conditional_put(bucket, f"{prefix}probe-{secrets.token_hex(8)}")
    except ClientError as error:
        code = code_of(error)
        if code in DENIED:
            raise NotUsable("denied", bucket=bucket.name, code=code) from error
        if code in UNKNOWN_CONDITION:
            raise NotUsable("no_conditional_writes", bucket=bucket.name) from error
        if code in NO_BUCKET:
            raise NotUsable("missing", bucket=bucket.name, code=code) from error
        raise errors.BackendUnavailable(part="store", retry_after_s=5, private=str(error)) from error
    except BROKEN as error:
        if isinstance(error, WRONGLY_SET_UP):
            raise NotUsable("credentials", why=str(error)) from error
        raise errors.BackendUnavailable(part="store", retry_after_s=5, private=repr(error)) from error


def _try_conditional_put(bucket: Bucket, key: str) -> None:
    """A job is made once by ``If-None-Match``. A record of a resumable upload is changed by one writer at a time by ``If-Match``."""
    try:
        etag = bucket.client.put_object(Bucket=bucket.name, Key=key, Body=b"", IfNoneMatch="*")["ETag"]
        if not _is_refused(lambda: bucket.client.put_object(Bucket=bucket.name, Key=key, Body=b"", IfNoneMatch="*")):
            raise NotUsable("no_conditional_writes", bucket=bucket.name)
        bucket.client.put_object(Bucket=bucket.name, Key=key, Body=b"changed", IfMatch=etag)
        if not _is_refused(lambda: bucket.client.put_object(Bucket=bucket.name, Key=key, Body=b"", IfMatch=etag)):
            raise NotUsable("no_conditional_replacement", bucket=bucket.name)
    finally:
        bucket.client.delete_object(Bucket=bucket.name, Key=key)


def _is_refused(put: Callable[[], object]) -> bool:
    try:
        put()
    except ClientError as error:
        if code_of(error) not in EXISTS:
            raise
        return True
    return False
