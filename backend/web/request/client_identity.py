"""Who made a job, so that a list shows each client its own jobs and no others.

With API keys the key says it. Without, "knowing an id is what gives access", so a list must not hand out ids that others made:

- A client that keeps cookies is known by a random token of its own. A browser gets one with the page, another client with the first answer
  to a request that makes or lists jobs.
- Without a cookie, requests from this very machine (a loopback address, and no proxy's traces) count as one client each address: on a
  laptop, ``curl`` lists what ``curl`` made.
- Without either, a list is empty: an address that many people share is nobody's name.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import secrets

from flask import Response, g, request

from backend.flows.ingest import Sender
from backend.web.request import auth
from backend.web.request.context import site

COOKIE = "gateway_client"
TOKEN = re.compile(r"[A-Za-z0-9_-]{22,64}")
KEPT_S = 400 * 86_400
"""What browsers keep a cookie at most (RFC 6265bis)."""
PROXY_TRACES = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via", "X-Forwarded-Host")


def maker() -> str:
    """A digest; a client that cannot be known otherwise gets its token with this answer. Raises ``Unauthorized``."""
    owner = auth.owner()
    if owner:
        return owner
    token = _token()
    if token:
        return _digest(f"token {token}")
    if _is_this_machine():
        return _digest(f"machine {auth.address()}")
    return _digest(f"token {_new_token()}")


def sender(*, is_listed: bool = True) -> Sender:
    """Raises ``Unauthorized``."""
    known = auth.owner()
    return Sender(known, known or auth.address(), auth.request_id(), maker() if is_listed else "")


def introduce() -> None:
    """A browser that opens the page gets its token at once, so that its first upload is its own already."""
    if not site().keys and not _token():
        _new_token()


def remember(response: Response) -> None:
    """The token, if one was made for this answer. HttpOnly, and sent by no other site's page."""
    if "new_token" in g:
        response.set_cookie(COOKIE, g.new_token, max_age=KEPT_S, httponly=True, secure=request.is_secure, samesite="Lax")


def _token() -> str:
    given = request.cookies.get(COOKIE, "")
    return given if TOKEN.fullmatch(given) else ""


def _new_token() -> str:
    if "new_token" not in g:
        g.new_token = secrets.token_urlsafe(16)
    return str(g.new_token)


def _is_this_machine() -> bool:
    if any(name in request.headers for name in PROXY_TRACES):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return request.remote_addr in (None, "")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
