"""Answers that a client may keep if it asks each time whether they still hold."""

from __future__ import annotations

from flask import Response, request


def revalidate(response: Response) -> Response:
    """With ``no-cache`` and an ``ETag`` of its bytes; 304 to a client that has them."""
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response
