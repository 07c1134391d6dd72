"""Who is asking: language, request id, API key, and the share of the queue."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from flask import g, request

from backend import errors
from backend.web.request.context import Site, site

REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")


def language() -> str:
    """The better of our two for the request's ``Accept-Language``: RFC 4647 lookup, any ``zh`` being Simplified Chinese."""
    for tag, quality in request.accept_languages:
        if quality <= 0:
            continue
        if tag.lower().startswith("zh"):
            return "zh-CN"
        if tag.lower().startswith("en") or tag == "*":
            return "en"
    return "en"


def request_id() -> str:
    """The client's ``X-Request-Id`` if it is one, else our own."""
    if "request_id" not in g:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        note("request", g.request_id)
    return str(g.request_id)


def note(name: str, value: str) -> None:
    """For the server's counts and its log lines."""
    request.environ.setdefault("gateway.notes", {})[name] = value


def owner() -> str:
    """A digest of the API key, '' where none is asked for. Raises ``Unauthorized``."""
    if "owner" not in g:
        g.owner = owner_of(site(), _given_key())
    return str(g.owner)


def owner_of(here: Site, key: str) -> str:
    """Every key is compared, in constant time. Raises ``Unauthorized``."""
    if not here.keys:
        return ""
    digest = digest_of(key)
    if sum(hmac.compare_digest(digest, known) for known in here.keys) == 0:
        raise errors.Unauthorized()
    return digest


def digest_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def address() -> str:
    return request.remote_addr or "local"


def check_rate(amount: int = 1) -> None:
    """Raises ``RateLimited``; the counts are put on the answer by ``headers``."""
    here = site()
    if here.rate_limit is None:
        return
    limit, window_s = here.rate_limit
    try:
        count, left_s = here.context.counters.count_in_window(f"rate:{owner() or address()}", amount, window_s)
    except errors.BackendUnavailable:
        return
    g.rate = (limit, window_s, max(0, limit - count), left_s)
    if count > limit:
        raise errors.RateLimited(limit=f"{limit}/{window_s} s", retry_after_s=max(1, left_s))


def _given_key() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.headers.get("X-API-Key", "")
