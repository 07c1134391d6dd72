"""Every error as ``application/problem+json`` (RFC 9457) in the reader's language; as a page where a person asks (``negotiation``)."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, RequestedRangeNotSatisfiable
from werkzeug.routing import RequestRedirect

from backend import errors
from backend.web.request import auth, examples, nearest_route, upload_headers
from backend.web.request.context import flow_context
from backend.web.request.peer import peer
from backend.web.request.reader import reader
from backend.web.response.error_pages import error_page
from backend.web.response.json_response import json_text
from backend.web.response.negotiation import wants_page

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
QUOTAS = {"jobs": "q={limit}", "bytes": 'q={limit_bytes};qu="content-bytes";w=86400', "uploads": "q={limit}"}
"""One client's shares as ``RateLimit-Policy`` has them (draft-ietf-httpapi-ratelimit-headers-10): quota, its unit, its window."""


def problem_response(error: errors.GatewayError) -> Response:
    peer().note("code", error.code)
    response = error_page(error) if wants_page() else _problem_json(error)
    response.headers["Cache-Control"] = "no-store"
    if error.retry_after_s is not None or error.status in (429, 503):
        response.headers["Retry-After"] = str(error.retry_after_s or 1)
    if isinstance(error, errors.UnsupportedFormat) and error.variant == "coded":
        response.headers["Accept-Encoding"] = "identity"  # RFC 9110 §15.5.16
    if isinstance(error, errors.QuotaExceeded) and error.variant in QUOTAS:
        response.headers["RateLimit-Policy"] = f'"{error.variant}";{QUOTAS[error.variant].format(**error.params)}'
        response.headers["RateLimit"] = f'"{error.variant}";r=0;t={error.retry_after_s}'
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="webp-gateway"'
    return response


def _problem_json(error: errors.GatewayError) -> Response:
    more: dict[str, Any] = {"request_id": auth.request_id(), **examples.of_request()}
    if error.retry_after_s is not None:
        more["retry_after_s"] = error.retry_after_s
    body = reader().problem(error.as_record(), **more)
    body["instance"] = f"urn:request:{auth.request_id()}"
    response = Response(json_text(body), error.status, content_type=MEDIA_TYPE)
    response.headers["Content-Language"] = auth.language()
    return response


def install(app: Flask) -> None:
    """Flask's own refusals become problems too. An address with doubled slashes is not found, where Flask would redirect it."""
    app.url_map.merge_slashes = False

    @app.errorhandler(errors.GatewayError)
    def answer_gateway_error(error: errors.GatewayError) -> Response:
        if error.status >= 500 and not isinstance(error, errors.NoRealtime):  # that one is the client's to read, each time it asks
            log.error("%s", error, exc_info=error if error.status == 500 else None, extra=_log_fields())
        return problem_response(error)

    @app.errorhandler(HTTPException)
    def answer_flask_error(error: HTTPException) -> ResponseReturnValue:
        if isinstance(error, RequestRedirect):
            return error
        response = problem_response(_gateway_error(error))
        for name, value in error.get_headers():
            if name in ("Allow", "Content-Range"):
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def answer_unexpected(error: Exception) -> Response:
        log.error("unexpected %r", error, exc_info=error, extra=_log_fields())
        return problem_response(errors.Internal())


def _no_route() -> errors.NotFound:
    path = nearest_route.shown_path()
    if request.method == "PUT":
        return errors.NotFound("put", path=path)
    near = "" if request.url_rule else nearest_route.nearest_route()
    return errors.NotFound("route", path=path, suggestion=near) if near else errors.NotFound("no_route", path=path)


def _log_fields() -> dict[str, Any]:
    return {"fields": {"request": auth.request_id()}}


def _meant_method() -> str:
    """Of tus, the one that an override names."""
    return upload_headers.method() if upload_headers.is_upload_path() else request.method


def _gateway_error(error: HTTPException) -> errors.GatewayError:
    if error.code == 404:
        return _no_route()
    if error.code == 405:
        allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
        variant = "image" if examples.takes_images(request.path) else ""
        return errors.MethodNotAllowed(variant, method=_meant_method()[:20], allowed=allowed)
    if isinstance(error, RequestedRangeNotSatisfiable):
        return errors.RangeNotSatisfiable("range", size_bytes=error.length)
    if error.code == 413:
        return errors.TooLarge(limit_bytes=flow_context().limits.upload_bytes)
    if error.code and error.code < 500:
        return errors.BadRequest()
    return errors.Internal()
