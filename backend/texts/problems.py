"""An error's record as the problem object of RFC 9457, in the reader's language.

A record is what ``errors.GatewayError.as_record`` gives: ``code``, ``status``, and where there are some ``variant`` and ``params``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from backend import texts


def problem(record: Mapping[str, Any], language: str = texts.DEFAULT, prefix: str = "", **known: object) -> dict[str, Any]:
    """``prefix`` stands before the path of its type. ``known`` fills the placeholders that only the edge knows, such as ``request_id``."""
    code, params = record["code"], record.get("params", {})
    body = {
        "type": f"{prefix}/problems/{code}",
        "title": texts.text(_key(record, "title"), language),
        "status": record["status"],
        "detail": texts.text(_key(record, "detail"), language, **{**params, **known}),
        "code": code,
    }
    if "option" in params:
        body["option"] = params["option"]
    if params.get("suggestion"):
        body["suggestion"] = params["suggestion"]
    return body


def details_of(code: str, language: str) -> Iterator[str]:
    """Every detail that a problem of this code may have, with its placeholders in braces."""
    for key, sentence in texts.sentences(language).items():
        if key.startswith(f"errors.{code}.") and key.endswith(".detail"):
            yield sentence.replace("{{", "{").replace("}}", "}")


def _key(record: Mapping[str, Any], part: str) -> str:
    """The variant's own sentence, or its code's."""
    own = f"errors.{record['code']}.{record.get('variant') or ''}.{part}"
    return own if texts.has(own) else f"errors.{record['code']}.{part}"
