"""The options in a request's query, in whatever charset they were escaped."""

from __future__ import annotations

from urllib.parse import parse_qsl

from flask import request

from backend.core.charsets import utf8_or_guessed


def pairs() -> list[tuple[str, str]]:
    """Names and values in order, as ``core/options.parse`` takes them."""
    found = parse_qsl(request.query_string.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
    return [(utf8_or_guessed(name.encode("latin-1")), utf8_or_guessed(value.encode("latin-1"))) for name, value in found]
