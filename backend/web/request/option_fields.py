"""The options in a small body: a JSON object, or a form without files, as a browser or ``curl --data`` sends it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from flask import request
from werkzeug.http import parse_options_header

from backend import errors
from backend.core import form_fields
from backend.web.request import bodies, body_stream, query
from backend.web.request.context import flow_context

Pairs = list[tuple[str, object]]


def read() -> Pairs:
    """Names and values in order; empty where there is no body. Raises ``BadRequest``, ``TooLarge``, and ``UnsupportedFormat`` for another type."""
    body = body_stream.small_body() if body_stream.is_announced() else b""
    if not body:
        return []
    media_type, parameters = parse_options_header(request.content_type)
    reader = READERS.get(media_type)
    if reader is None:
        raise errors.UnsupportedFormat("media_type", accepted=" / ".join(READERS))
    return [pair for pair in reader(body, parameters) if form_fields.is_option(pair[0])]


def read_json() -> dict[str, object]:
    """The body as one JSON object. Raises ``BadRequest``, ``TooLarge``."""
    return _object(body_stream.small_body())


def _object(body: bytes) -> dict[str, object]:
    """Refuses what two readers might understand differently (RFC 7493): repeated names, ``NaN``, half of a surrogate pair."""
    try:
        record = json.loads(body, object_pairs_hook=_unique, parse_constant=_refuse)
        json.dumps(record, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        raise errors.BadRequest("json")
    return record


def _unique(members: Pairs) -> dict[str, object]:
    record = dict(members)
    if len(record) < len(members):
        raise ValueError("repeated names")
    return record


def _refuse(constant: str) -> object:
    raise ValueError(constant)


def _json_pairs(body: bytes, _: Mapping[str, str]) -> Pairs:
    return list(_object(body).items())


def _urlencoded_pairs(body: bytes, _: Mapping[str, str]) -> Pairs:
    return list(query.pairs_of(body))


def _multipart_pairs(body: bytes, parameters: Mapping[str, str]) -> Pairs:
    return list(bodies.read_form(flow_context(), [body], parameters, max_files=0).fields)


READERS: dict[str, Callable[[bytes, Mapping[str, str]], Pairs]] = {
    "application/json": _json_pairs,
    "application/x-www-form-urlencoded": _urlencoded_pairs,
    "multipart/form-data": _multipart_pairs,
}
