"""Answers that are pages."""

from __future__ import annotations

from flask import Response

from backend.web.response.revalidation import revalidate

MEDIA_TYPE = "text/html; charset=utf-8"


def html_response(text: str, vary: str = "Accept-Language") -> Response:
    response = Response(text, content_type=MEDIA_TYPE)
    response.headers["Vary"] = vary
    return revalidate(response)
