"""One rule for the bodies of all requests, before a route sees them. The routes' own table says what each of them takes (``openapi/resource``).

- A body that a route takes as images is bounded by who reads it: ``bodies``, ``upload_body``.
- Any other body has at most ``SMALL_BODY_BYTES``. One that was announced as longer is refused unread.
- A route that takes none lets a small one lie: some clients send ``{}`` with every POST. One in chunks is read away, for its length is not known.
- A coded body is refused (RFC 9110 §8.4): none is ever decoded, so none can unfold.
"""

from __future__ import annotations

from flask import Flask, current_app, request

from backend import errors
from backend.web.openapi.resource import Body, Resource
from backend.web.request import body_stream, upload_headers

SMALL_TYPES = frozenset({"application/json", "application/x-www-form-urlencoded", "multipart/form-data"})
"""A route that takes other types too takes images."""


def install(app: Flask) -> None:
    app.config.update(MAX_CONTENT_LENGTH=0, MAX_FORM_MEMORY_SIZE=0, MAX_FORM_PARTS=0)  # werkzeug reads no body: ``body_stream`` does
    app.before_request(check_body)


def check_body() -> None:
    """Raises ``TooLarge``, ``UnsupportedFormat``, and as ``body_stream.chunks``."""
    if request.url_rule is None or not body_stream.is_announced():
        return
    if _is_coded("Content-Encoding", "identity") or _is_coded("Transfer-Encoding", "chunked"):
        raise errors.UnsupportedFormat("coded")
    taken = _taken_body(request.url_rule.rule)
    if taken.keys() <= SMALL_TYPES:
        body_stream.check_small()
    if not taken and body_stream.is_chunked():
        body_stream.small_body()


def _is_coded(header: str, plain: str) -> bool:
    return request.headers.get(header, "").strip().lower() not in ("", plain)


def _taken_body(rule: str) -> Body:
    resource = current_app.blueprints.get(request.blueprint or "")
    return resource.body_of(upload_headers.routed_method(), rule) if isinstance(resource, Resource) else {}
