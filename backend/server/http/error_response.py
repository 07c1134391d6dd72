"""The answers that this room gives by itself, at the door: RFC 9457 problems, in English, without the application."""

from __future__ import annotations

import json
import ssl
from http import HTTPStatus
from typing import Any

from gunicorn.http import errors as parse_errors

from backend.errors import GatewayError
from backend.texts.problems import problem

Answer = tuple[str, list[tuple[str, str]], bytes]


def answer(error: GatewayError, status: int | None = None, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """Status line, headers and body of ``error``; ``status`` replaces the error's own where a protocol asks for another."""
    record: dict[str, Any] = {**error.as_record(), "status": status or error.status}
    body = json.dumps(problem(record, retry_after_s=error.retry_after_s)).encode()
    fields = [("Content-Type", "application/problem+json"), ("Content-Length", str(len(body))), *headers]
    if error.retry_after_s is not None:
        fields.append(("Retry-After", str(error.retry_after_s)))
    return _status_line(record["status"]), fields, body


def as_response(parts: Answer) -> bytes:
    """The whole closing response, for a socket on which no request was taken."""
    status_line, fields, body = parts
    head = "".join(f"{name}: {value}\r\n" for name, value in [*fields, ("Connection", "close")])
    return f"HTTP/1.1 {status_line}\r\n{head}\r\n".encode("latin-1") + body


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
"""Gunicorn's errors while it reads a request, by the status of RFC 9110; the first that fits."""


def status_of(error: Exception) -> int | None:
    """None for what is no fault of the client's."""
    status = next((status for kind, status in STATUS_OF if isinstance(error, kind)), None)
    return None if status == 500 else status


def _status_line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"
