"""The options in a request's query or in a form of the same coding, in whatever charset they were escaped."""

from __future__ import annotations

from urllib.parse import parse_qsl

from flask import request

from backend import errors
from backend.core.charsets import utf8_or_guessed

MOST_FIELDS = 100
"""More than there are options, with what libraries add to a form."""
NAME = "filename"
"""The only option whose value has a charset to be guessed; each guess takes up to 2 ms. All others are ASCII, or wrong."""


def pairs() -> list[tuple[str, str]]:
    """Names and values in order, as ``core/options.parse`` takes them. Raises ``BadRequest`` for too many."""
    return pairs_of(request.query_string)


def pairs_of(encoded: bytes) -> list[tuple[str, str]]:
    """Of a query, or of a form that is coded like one. Raises as ``pairs``."""
    try:
        found = parse_qsl(encoded.decode("latin-1"), keep_blank_values=True, encoding="latin-1", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise errors.BadRequest("too_many_fields", limit=MOST_FIELDS) from error
    named: list[tuple[str, str]] = []
    is_named = False
    for name, value in ((name.encode("latin-1").decode("utf-8", "replace"), value.encode("latin-1")) for name, value in found):
        named.append((name, field_text(name, value, is_first=not is_named)))
        is_named = is_named or name == NAME
    return named


def field_text(name: str, value: bytes, *, is_first: bool) -> str:
    """``value`` as text. A second file name is an error, so its charset is not guessed."""
    return utf8_or_guessed(value) if name == NAME and is_first else value.decode("utf-8", "replace")
