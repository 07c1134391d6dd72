"""The options in a request's query or in a form of the same coding, in whatever charset they were escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

from flask import request

from backend import errors
from backend.core.charsets import utf8_or_guessed
from backend.core.suggestions.likeness import letters, nearest

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


def unknown(name: str, known: Sequence[str]) -> errors.InvalidOption:
    """The error for a parameter that there is not, with the one of ``known`` that it resembles, or with all of them."""
    near, shown = nearest(name[:100], known), name[:100]
    if near:
        return errors.InvalidOption("unknown", option=shown, suggestion=near)
    return errors.InvalidOption("no_such", option=shown, accepted=tuple(known))


def not_one_of(name: str, value: str, known: Sequence[str], others: Mapping[str, str]) -> errors.InvalidOption:
    """The error for a value that is none of ``known``. ``others`` is another tool's word → the one here."""
    shown = value[:100]
    near = others.get(letters(shown)) or nearest(shown, known)
    return errors.InvalidOption("meant" if near else "", option=name, value=shown, accepted=tuple(known), suggestion=near)
