"""Answers that are pages."""

from __future__ import annotations

import re

from flask import Response, request

from backend.core.security_headers import PAGE_POLICY
from backend.web.response.revalidation import revalidate

MEDIA_TYPE = "text/html; charset=utf-8"
ADDRESS = re.compile(r'\b((?:href|src|action)=")(?=/)')


def html_response(text: str, vary: str = "Accept-Language") -> Response:
    response = Response(with_prefix(text), content_type=MEDIA_TYPE)
    response.headers["Vary"] = vary
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    return revalidate(response)


def with_prefix(html: str) -> str:
    """A page whose addresses are paths from the gateway's root, as one reaches them behind a proxy."""
    return ADDRESS.sub(rf"\g<1>{request.script_root}", html) if request.script_root else html
