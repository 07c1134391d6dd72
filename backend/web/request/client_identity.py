"""Which client made a job, so that a list shows each client its own jobs and no others.

With API keys, a job belongs to the key that made it. Without keys, a job's id gives access to it, so a list must not show ids that others made:

- A client that keeps cookies is known by a random token. A browser gets its token with the page; another client with the first answer to a
  request that makes or lists jobs.
- Without a cookie, a request from this machine is known by its address: on a laptop, ``curl`` lists what ``curl`` made. This machine means a
  loopback address, and no header that a proxy would have added.
- Any other client has an empty list, since many people may share its address.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import secrets

from flask import Response, g, request

from backend.core.turns import network_of
from backend.flows.ingest import Sender
from backend.web.request import auth
from backend.web.request.context import web_context

COOKIE = "gateway_client"
TOKEN = re.compile(r"[A-Za-z0-9_-]{22,64}")
COOKIE_MAX_AGE_S = 400 * 86_400
"""The longest that browsers keep a cookie (RFC 6265bis)."""
LINE_DIGITS = 16
PROXY_HEADERS = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via", "X-Forwarded-Host")


def digest() -> str:
    """Names the client. One that is not known in any other way gets a token with this answer. Raises ``Unauthorized``."""
    owner = auth.owner()
    if owner:
        return owner
    token = _token()
    if token:
        return _sha256(f"token {token}")
    if _is_this_machine():
        return _sha256(f"machine {auth.client_address()}")
    return _sha256(f"token {_new_token()}")


def sender(*, is_listed: bool = True, is_waiting: bool = False) -> Sender:
    """Raises ``Unauthorized``."""
    owner, maker = auth.owner(), digest() if is_listed else ""
    return Sender(owner, auth.client(), auth.request_id(), maker, auth.client_limits(), line(), is_waiting)


def line() -> str:
    """Who takes turns within the client: each address that uses an API key; without keys each browser that sent its token, and all who sent none.

    A token costs nothing, so whoever takes many gets more turns of the same client, and none of another's.
    """
    if auth.owner():
        return network_of(auth.client_address())
    return _sha256(f"line {_token()}")[:LINE_DIGITS] if _token() else ""


def ensure_token() -> None:
    """A browser that opens the page gets its token at once, so that its first upload counts as its own."""
    if not web_context().api_keys.are_set and not _token():
        _new_token()


def set_cookie(response: Response) -> None:
    """Send the token, if this request made one. No script can read it, and no other site's page sends it."""
    if "new_token" in g:
        path = request.script_root or "/"
        response.set_cookie(COOKIE, g.new_token, COOKIE_MAX_AGE_S, path=path, secure=request.is_secure, httponly=True, samesite="Lax")


def _token() -> str:
    given = request.cookies.get(COOKIE, "")
    return given if TOKEN.fullmatch(given) else ""


def _new_token() -> str:
    if "new_token" not in g:
        g.new_token = secrets.token_urlsafe(16)
    return str(g.new_token)


def _is_this_machine() -> bool:
    if any(name in request.headers for name in PROXY_HEADERS):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return request.remote_addr in (None, "")  # a unix socket


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
