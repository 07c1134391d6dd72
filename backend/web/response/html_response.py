"""Answers that are pages. HTML is made by ``markup`` alone, which escapes all that is put into it."""

from __future__ import annotations

import re

from flask import Response, request
from markupsafe import Markup

from backend.core.security_headers import PAGE_POLICY
from backend.web.response.revalidation import revalidate

MEDIA_TYPE = "text/html; charset=utf-8"
ADDRESS = re.compile(r'\b((?:href|src|action)=")(?=/)')


def markup(template: str, **values: object) -> Markup:
    """``template``, a constant, with its placeholders filled. Values are escaped, but for those that are markup already."""
    return Markup(template).format(**values)


def html_response(text: str, vary: str = "Accept-Language") -> Response:
    response = Response(with_prefix(text), content_type=MEDIA_TYPE)
    response.headers["Vary"] = vary
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    return revalidate(response)


def with_prefix(html: str) -> str:
    """A page whose addresses are paths from the gateway's root, as one reaches them behind a proxy."""
    page = str(html)  # in ``Markup``, what is replaced would be escaped
    return ADDRESS.sub(rf"\g<1>{request.script_root}", page) if request.script_root else page
