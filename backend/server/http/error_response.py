"""The answers that this room gives without the application: problems (RFC 9457), in English."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from gunicorn.http import errors as parse_errors

from backend.core.security_headers import with_security
from backend.errors import GatewayError
from backend.server.wsgi import StartResponse
from backend.texts.problems import problem

Headers = tuple[tuple[str, str], ...]
_prefix = ""


def install(prefix: str) -> None:
    """``prefix`` stands before the paths in these answers (``server/path_prefix``). Call it once in each worker process."""
    global _prefix
    _prefix = prefix


def refuse(start_response: StartResponse, error: GatewayError, status: int | None = None, headers: Headers = ()) -> Iterable[bytes]:
    """The WSGI answer. ``status`` replaces the error's own where a protocol asks for another."""
    status_line, fields, body = _parts(error, status, headers)
    start_response(status_line, fields)
    return [body]


def closing_response(error: GatewayError, status: int | None = None) -> bytes:
    """All bytes of the answer, for a connection on which no request was read and which closes afterwards."""
    status_line, fields, body = _parts(error, status, (("Connection", "close"),))
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"HTTP/1.1 {status_line}\r\n{head}\r\n".encode("latin-1") + body


def _parts(error: GatewayError, status: int | None, headers: Headers) -> tuple[str, list[tuple[str, str]], bytes]:
    """Status line, headers and body."""
    record: dict[str, Any] = {**error.as_record(), "status": status or error.status}
    body = json.dumps(problem(record, prefix=_prefix, retry_after_s=error.retry_after_s)).encode()
    fields = [("Content-Type", "application/problem+json"), ("Content-Length", str(len(body)))]
    if error.retry_after_s is not None:
        fields.append(("Retry-After", str(error.retry_after_s)))
    return f"{record['status']} {HTTPStatus(record['status']).phrase}", with_security([*fields, *headers]), body


STATUS_OF: tuple[tuple[type[Exception], int], ...] = (
    (parse_errors.InvalidResponseHeader, 500),
    (parse_errors.InvalidResponseHeaderName, 500),
    (parse_errors.LimitRequestLine, 414),
    (parse_errors.LimitRequestHeaders, 431),
    (parse_errors.ExpectationFailed, 417),
    (parse_errors.UnsupportedTransferCoding, 501),
    (parse_errors.ForbiddenProxyRequest, 403),
    (parse_errors.ConfigurationProblem, 500),
    (parse_errors.ParseException, 400),
    (parse_errors.InvalidChunkSize, 400),
    (parse_errors.ChunkMissingTerminator, 400),
    (parse_errors.InvalidChunkExtension, 400),
    (ssl.SSLError, 400),
)
"""The errors that Gunicorn raises while it reads a request, with the status that RFC 9110 has for each. The first row that fits counts."""


def status_of(error: Exception) -> int | None:
    """None for an error that is not the client's fault."""
    status = next((status for kind, status in STATUS_OF if isinstance(error, kind)), None)
    return None if status == 500 else status
