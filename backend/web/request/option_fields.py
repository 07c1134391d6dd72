"""The options in a small body: a JSON object, or a form without files, as a browser or ``curl --data`` sends it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping

from flask import request
from werkzeug.http import parse_options_header

from backend import errors
from backend.core import form_fields
from backend.web.request import bodies, body_advice, body_stream, query
from backend.web.request.context import flow_context

Pairs = list[tuple[str, object]]
FOUND_CHARACTERS = 12
"""So much of a broken JSON body is shown."""


def read() -> Pairs:
    """Names and values in order; empty where there is no body. Raises ``BadRequest``, ``TooLarge``, and ``UnsupportedFormat`` for another type."""
    body = body_stream.small_body() if body_stream.is_announced() else b""
    if not body:
        return []
    media_type, parameters = parse_options_header(request.content_type)
    reader = READERS.get(media_type)
    if reader is None:
        raise errors.UnsupportedFormat("media_type", accepted=tuple(READERS))
    return [pair for pair in reader(body, parameters) if form_fields.is_option(pair[0])]


def read_json() -> dict[str, object]:
    """The body as one JSON object. Raises ``BadRequest``, ``TooLarge``, and ``UnsupportedFormat`` for an image under JSON's name."""
    try:
        body = body_stream.small_body()
    except errors.TooLarge as error:
        raise errors.TooLarge("json", **error.params) from error
    body_advice.check_json(body)
    return _object(body)


def _object(body: bytes) -> dict[str, object]:
    """Refuses what two readers might understand differently (RFC 7493): repeated names, ``NaN``, half of a surrogate pair."""
    if not body.strip():
        raise errors.BadRequest("json_empty")
    try:
        record = json.loads(body, object_pairs_hook=_unique, parse_constant=_refuse)
        json.dumps(record, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise _broken(error) from error
    except UnicodeError as error:
        raise errors.BadRequest("json_encoding") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or too many brackets
        raise errors.BadRequest("json") from error
    if not isinstance(record, dict):
        raise errors.BadRequest("json_object")
    return record


def _broken(error: json.JSONDecodeError) -> errors.BadRequest:
    """With the place, and what stands there."""
    found = error.doc[error.pos : error.pos + FOUND_CHARACTERS].split("\n")[0].strip()
    if not error.doc[error.pos :].strip():
        return errors.BadRequest("json_end", line=error.lineno, column=error.colno)
    return errors.BadRequest("json_syntax", line=error.lineno, column=error.colno, found=found or "↵")


def _unique(members: Pairs) -> dict[str, object]:
    record = dict(members)
    if len(record) < len(members):
        name = next(name for name, count in Counter(name for name, _ in members).items() if count > 1)
        raise errors.BadRequest("json_repeated", name=name[:100])
    return record


def _refuse(constant: str) -> object:
    raise errors.BadRequest("json_constant", constant=constant)


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
