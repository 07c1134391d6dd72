"""Try out, before the start, whether a bucket can be a store."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from botocore.exceptions import ClientError, NoRegionError, ProfileNotFound

from backend import errors
from backend.adapters.s3.bucket import Bucket
from backend.adapters.s3.calls import BROKEN, EXISTS, MISSING, NO_CREDENTIALS, code_of
from backend.ports.housekeeping import NotUsable

DENIED = {"403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AllAccessDisabled"}
NO_BUCKET = {"404", "NoSuchBucket", "InvalidBucketName", "400", "301", "PermanentRedirect"}
WRONGLY_SET_UP = (*NO_CREDENTIALS, NoRegionError, ProfileNotFound)

NO_ETAG = f'"{"0" * 32}"'
"""Of no object: an entity tag is an MD5 or longer."""


def probe(bucket: Bucket, prefix: str) -> None:
    """Raises ``NotUsable``, and ``BackendUnavailable`` when the service does not answer. It leaves nothing behind."""
    try:
        bucket.client.head_bucket(Bucket=bucket.name)
        _try_conditional_put(bucket, f"{prefix}probe-{secrets.token_hex(8)}")
    except ClientError as error:
        code = code_of(error)
        if code in DENIED:
            raise NotUsable("denied", bucket=bucket.name, code=code) from error
        if code in NO_BUCKET:
            raise NotUsable("missing", bucket=bucket.name, code=code) from error
        raise errors.BackendUnavailable(part="store", retry_after_s=5, private=str(error)) from error
    except BROKEN as error:
        if isinstance(error, WRONGLY_SET_UP):
            raise NotUsable("credentials", why=str(error)) from error
        raise errors.BackendUnavailable(part="store", retry_after_s=5, private=repr(error)) from error


def _try_conditional_put(bucket: Bucket, key: str) -> None:
    bucket.client.put_object(Bucket=bucket.name, Key=key, Body=b"", IfNoneMatch="*")
    try:
        _expect_refusal(bucket, lambda: bucket.client.put_object(Bucket=bucket.name, Key=key, Body=b"", IfNoneMatch="*"))
        _expect_refusal(bucket, lambda: bucket.client.put_object(Bucket=bucket.name, Key=key, Body=b"", IfMatch=NO_ETAG))
    finally:
        bucket.client.delete_object(Bucket=bucket.name, Key=key)


def _expect_refusal(bucket: Bucket, put: Callable[[], object]) -> None:
    """Raises ``NotUsable`` where ``put``, whose condition is not met, is done all the same."""
    try:
        put()
    except ClientError as error:
        if code_of(error) in EXISTS | MISSING:
            return
        raise
    raise NotUsable("no_conditional_writes", bucket=bucket.name)
