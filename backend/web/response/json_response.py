"""Answers in JSON."""

from __future__ import annotations

import json

from flask import Response

MEDIA_TYPE = "application/json"


def json_text(body: object) -> str:
    """In UTF-8 as it is, without ``\\u`` escapes."""
    return json.dumps(body, ensure_ascii=False)


def json_response(body: object, status: int = 200, *, cache: str, vary: str = "") -> Response:
    """``cache`` and ``vary`` are the values of ``Cache-Control`` and ``Vary``."""
    response = Response(json_text(body), status, content_type=MEDIA_TYPE)
    response.headers["Cache-Control"] = cache
    if vary:
        response.headers["Vary"] = vary
    return response
