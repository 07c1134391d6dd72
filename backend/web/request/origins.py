"""Which pages of other sites may read the gateway's answers: those of the origins that the operator named."""

from __future__ import annotations

from flask import request

from backend.web.request.context import web_context


def is_allowed() -> bool:
    """Whether a page of an origin that the operator named asks."""
    return request.headers.get("Origin", "") in web_context().allowed_origins
