"""Every error that the gateway raises on purpose, as one tree.

An error carries what a client may know: ``code`` and ``status``, which never change, and parameters. Its sentences are in ``texts``, by code
and variant; whoever answers a client looks them up (``texts.problems``). ``private`` is for the log alone. An error that crosses a process
travels as ``as_record()`` and comes back by ``from_record()``.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any, ClassVar


class Overstayed(BaseException):
    """Raised by the watchdog in a greenlet that kept a worker's loop for seconds. Only the edge of a process catches it, and ends what ran."""


class GatewayError(Exception):
    """Base of all. ``variant`` picks a more exact sentence of the same code, ``params`` fill its placeholders."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    is_passing: ClassVar[bool] = False
    """Whether the world around the image is at fault, and not the image, its options or its sender: the same work may succeed later.

    Such an error ends no job. Whoever meets it tries again for as long as the job lives."""

    def __init__(self, variant: str = "", *, private: str = "", retry_after_s: int | None = None, **params: Any) -> None:
        super().__init__(f"{self.code}{'.' + variant if variant else ''} {params or ''} {private}".strip())
        self.variant = variant
        self.private = private
        self.params = params
        self.retry_after_s = retry_after_s

    def as_record(self) -> dict[str, Any]:
        """What a manifest, a message or an event stores of this error: no sentence and no private detail."""
        record: dict[str, Any] = {"code": self.code, "status": self.status}
        if self.variant:
            record["variant"] = self.variant
        if self.params:
            record["params"] = self.params
        return record


# One row an error: its code, which clients rely on, its HTTP status, and whether it is the world's.
# ruff: noqa: E701
# fmt: off
class BadRequest(GatewayError): code, status = "bad_request", 400
class Forbidden(BadRequest): status = 403
class PreconditionFailed(BadRequest): status = 412
class RangeNotSatisfiable(BadRequest): status = 416
class Locked(BadRequest): status = 423
class ChecksumMismatch(BadRequest): status = 460  # tus 1.0.0 has a status of its own
class UpgradeRequired(BadRequest): status = 426
class Unauthorized(GatewayError): code, status = "unauthorized", 401
class OperatorOnly(Unauthorized): status = 403  # a right key that may not do this (RFC 6750 §3.1)
class CrossSite(GatewayError): code, status = "cross_site", 403
class NotFound(GatewayError): code, status = "not_found", 404
class MethodNotAllowed(GatewayError): code, status = "method_not_allowed", 405
class NotReady(GatewayError): code, status = "not_ready", 409
class AlreadyFinished(GatewayError): code, status = "already_finished", 409
class OffsetMismatch(GatewayError): code, status = "offset_mismatch", 409
class Gone(GatewayError): code, status = "gone", 410
class TooLarge(GatewayError): code, status = "too_large", 413
class UnsupportedFormat(GatewayError): code, status = "unsupported_format", 415
class WrongHost(GatewayError): code, status = "wrong_host", 421
class InvalidOption(GatewayError): code, status = "invalid_option", 422
class DamagedImage(GatewayError): code, status = "damaged_image", 422
class TooManyPixels(GatewayError): code, status = "too_many_pixels", 422
class TooManyFrames(GatewayError): code, status = "too_many_frames", 422
class EmptyFile(GatewayError): code, status = "empty_file", 422
class RateLimited(GatewayError): code, status = "rate_limited", 429
class QuotaExceeded(GatewayError): code, status = "quota_exceeded", 429
class Internal(GatewayError): code, status = "internal", 500
class NoRealtime(GatewayError): code, status = "no_realtime", 501
class QueueFull(GatewayError): code, status = "queue_full", 503
class BackendUnavailable(GatewayError): code, status, is_passing = "backend_unavailable", 503, True
class LiveStateFull(BackendUnavailable): status = 503  # Redis takes no new work; nothing of it was begun
class EncodeTimeout(GatewayError): code, status = "encode_timeout", 504
class StorageFull(GatewayError): code, status, is_passing = "storage_full", 507, True
# fmt: on

BY_CODE: dict[str, type[GatewayError]] = {kind.code: kind for kind in GatewayError.__subclasses__()}


def from_record(record: Mapping[str, Any]) -> GatewayError:
    """The error that ``as_record`` described, in another process. An unknown code becomes ``Internal``."""
    kind = BY_CODE.get(record.get("code", ""), Internal)
    error = kind(record.get("variant", ""))
    error.params = dict(record.get("params", {}))
    return error


class WrongSetting:
    """One problem of the settings. ``value`` is as it may be shown, None where there is none; ``accepted`` names the sentence in ``texts`` that
    says what is taken, and ``params`` fill it."""

    def __init__(self, name: str, value: str | None, accepted: str, **params: Any) -> None:
        self.name, self.value, self.accepted, self.params = name, value, accepted, params

    def __str__(self) -> str:
        return f"{self.name}={self.value}: not {self.accepted} {self.params or ''}".strip()


class SettingsError(Exception):
    """The settings are wrong, in all the ways that were found. The start ends with exit code 2."""

    def __init__(self, *problems: WrongSetting) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


class CannotStart(Exception):
    """The start ends with ``exit_code``. ``reason`` names the sentence for the operator (``start.`` in ``texts``), and ``params`` fill it."""

    def __init__(self, reason: str, exit_code: int = 1, /, **params: Any) -> None:
        super().__init__(f"{reason} {params or ''}".strip())
        self.reason, self.exit_code, self.params = reason, exit_code, params

    @classmethod
    def of_folder(cls, folder: object, error: OSError, setting: str) -> CannotStart:
        """A folder in which nothing can be written; ``setting`` chooses another."""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return CannotStart("no_space", folder=folder, setting=setting)
        return CannotStart("unwritable", folder=folder, why=error.strerror, setting=setting)
