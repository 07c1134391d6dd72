"""The language of pages: the one that was chosen in the header, else as ``Accept-Language`` says.

The choice lies in a cookie, since the server writes pages that have no scripts of their own. Answers of the API do not read it.
"""

from __future__ import annotations

from flask import Response, request

from backend import texts
from backend.web.request import auth

COOKIE = "gateway_language"
COOKIE_MAX_AGE_S = 400 * 86_400
"""The longest that browsers keep a cookie (RFC 6265bis)."""
VARY = "Accept-Language, Cookie"


def page_language() -> str:
    """A language of ``texts``."""
    chosen = request.cookies.get(COOKIE, "")
    return chosen if chosen in texts.languages() else auth.language()


def remember(response: Response, language: str) -> None:
    """The page's own scripts set the same cookie (``js/choices.js``)."""
    path = request.script_root or "/"
    response.set_cookie(COOKIE, language, COOKIE_MAX_AGE_S, path=path, secure=request.is_secure, samesite="Lax")
