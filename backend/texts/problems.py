"""An error's record as the problem object of RFC 9457, in the reader's language.

A record is what ``errors.GatewayError.as_record`` gives: ``code``, ``status``, and where there are some ``variant`` and ``params``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from backend import texts
from backend.texts.sizes import limit_size
from backend.texts.variants import variant_name

COMMANDS = {
    "command": "curl --data-binary @cat.jpg {address}",
    "form_command": "curl -F file=@cat.jpg {address}",
    "fetch": "curl -H 'Content-Type: application/json' -d '{{\"url\": \"https://example.com/cat.jpg\"}}' {address}",
}
"""What works, for sentences that show it. The edge that answers a request knows the ``address``, and may know a better command."""
UNKNOWN: Mapping[str, Any] = {"code": "internal", "status": 500}
"""What an error is here that a later release has recorded, and that this one does not know."""
LIMITS = ("limit_bytes", "head_bytes")
"""Shown as sizes. What else ends in ``_bytes`` is a place or a length, and told to the byte."""
EXAMPLES = {"example": '{"quality": 75}'}


def problem(record: Mapping[str, Any], language: str = texts.DEFAULT, prefix: str = "", **known: object) -> dict[str, Any]:
    """``prefix`` stands before the path of its type. ``known`` fills the placeholders that only the edge knows, such as ``request_id``."""
    record = record if texts.has(f"errors.{record.get('code')}.title") else UNKNOWN
    code, params = record["code"], _with_prefix(record.get("params", {}), prefix)
    words = {**EXAMPLES, "address": f"…{prefix}/api/jobs", **_with_sizes(params, language), **known}
    if record.get("variant") == "variant" and isinstance(words.get("format"), str):
        words["format"] = variant_name(words["format"], language)
    words |= {name: example.format(**words) for name, example in COMMANDS.items() if name not in known}
    body = {
        "type": f"{prefix}/problems/{code}",
        "title": texts.text(_key(record, "title"), language),
        "status": record.get("status", UNKNOWN["status"]),
        "detail": texts.text(_key(record, "detail"), language, **words),
        "code": code,
    }
    if "option" in params:
        body["option"] = params["option"]
    if params.get("suggestion"):
        body["suggestion"] = params["suggestion"]
    return body


def _with_prefix(params: Mapping[str, Any], prefix: str) -> Mapping[str, Any]:
    """A suggestion that is a path is one of the gateway's own."""
    near = params.get("suggestion")
    return {**params, "suggestion": prefix + near} if isinstance(near, str) and near.startswith("/") else params


def _with_sizes(params: Mapping[str, Any], language: str) -> dict[str, Any]:
    return {name: _size(value, language) if name in LIMITS and isinstance(value, int) else value for name, value in params.items()}


def _size(count: int, language: str) -> str:
    number, unit = limit_size(count)
    return texts.text("units.bytes", language, count=number) if unit == "B" else f"{number} {unit}"


def details_of(code: str, language: str) -> Iterator[str]:
    """Every detail that a problem of this code may have, with its placeholders in braces."""
    for key, sentence in texts.sentences(language).items():
        if key.startswith(f"errors.{code}.") and key.endswith(".detail"):
            yield sentence.replace("{{", "{").replace("}}", "}")


def _key(record: Mapping[str, Any], part: str) -> str:
    """The variant's own sentence, or its code's."""
    own = f"errors.{record['code']}.{record.get('variant') or ''}.{part}"
    return own if texts.has(own) else f"errors.{record['code']}.{part}"
