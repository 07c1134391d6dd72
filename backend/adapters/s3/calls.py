"""Calls to an S3-compatible service: the client of each thread, its time-outs, and every error that it may raise, translated."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
import urllib3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from backend import errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

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
CONFIG = Config(
    connect_timeout=2,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 2},
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
"""A service that says nothing is given up after some 20 s: a request is answered then, and an encoder puts its job off.

Checksums that not every S3-compatible service knows are sent only where the protocol demands them; TLS guards the bytes on their way."""
SILENT = (ConnectTimeoutError, ReadTimeoutError)
REST_S = 1.0
"""So long after a call to a silent service ended without an answer, none is tried: who comes meanwhile hears of it at once."""
TRIAL_S = 30.0
"""Longer than a call to a silent service takes (``CONFIG``): a trial that has not ended by then counts no more."""


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


class Circuit:
    """While the service is silent, one call at a time finds out whether it answers again, and all others fail at once. Without it, every thread of a
    gateway would hang in a call of its own, and requests would wait for a thread besides.

    Shared by the threads of one process. Two that come at the same instant may both try; that does no harm.
    """

    def __init__(self) -> None:
        self._is_silent = False
        self._trial_until_s = 0.0

    @contextmanager
    def call(self) -> Iterator[None]:
        """Raises ``BackendUnavailable`` at once while another call finds out."""
        if self._is_silent:
            if time.monotonic() < self._trial_until_s:
                raise errors.BackendUnavailable(part="store", retry_after_s=5, private="the service did not answer a moment ago")
            self._trial_until_s = time.monotonic() + TRIAL_S
        try:
            yield
        except SILENT:
            self._is_silent, self._trial_until_s = True, time.monotonic() + REST_S
            raise
        except errors.GatewayError:  # of a call within this one, which has noted what it met
            raise
        except Exception:
            self._is_silent = False
            raise
        self._is_silent = False


class Calls:
    """Every thread has a client of its own, so that nothing is shared between a gateway's loop and its threads."""

    def __init__(self) -> None:
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
    def call(self, missing: type[errors.GatewayError] | None = None) -> Iterator[None]:
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
