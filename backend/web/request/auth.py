"""The client of a request: its language, request id, API key and rate limit."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from flask import g, request

from backend import errors, texts
from backend.core.client_limits import ClientLimits
from backend.core.turns import network_of
from backend.web.request.context import WebContext, web_context
from backend.web.request.peer import peer

REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")


def language() -> str:
    """The language of ``texts`` that the request's ``Accept-Language`` asks for most."""
    return texts.best_language(tag for tag, quality in request.accept_languages if quality > 0)


def request_id() -> str:
    """The client's ``X-Request-Id`` if it has the right form, else a random one."""
    if "request_id" not in g:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        peer().note("request", g.request_id)
    return str(g.request_id)


def owner() -> str:
    """The digest of the request's API key; empty where the gateway has no keys. Raises ``Unauthorized``."""
    if "owner" not in g:
        g.owner = owner_of(web_context(), _sent_key())
    return str(g.owner)


def owner_of(web: WebContext, key: str) -> str:
    """Compares with every key, in constant time. Raises ``Unauthorized``."""
    if not web.key_digests:
        return ""
    digest = key_digest(key)
    if sum(hmac.compare_digest(digest, known) for known in web.key_digests) == 0:
        raise errors.Unauthorized()
    return digest


def key_digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def client_limits() -> ClientLimits:
    """What the client of this request may have."""
    return web_context().client_limits


def client_address() -> str:
    return request.remote_addr or "local"


def client() -> str:
    """Who takes turns and has a share: the API key's digest, else the client's address, and of an IPv6 address its /64. Raises ``Unauthorized``."""
    return owner() or network_of(client_address())


def known_client() -> str:
    """As ``client``. Where the key is wrong or missing, the address."""
    try:
        return client()
    except errors.Unauthorized:
        return network_of(client_address())


def check_rate(amount: int = 1) -> None:
    """Raises ``RateLimited``. ``response.headers`` puts the counts on the answer. Without Redis nothing is limited."""
    web = web_context()
    if web.rate_limit is None:
        return
    limit, window_s = web.rate_limit
    try:
        count, left_s = web.context.counters.count_in_window(f"rate:{client()}", amount, window_s)
    except errors.BackendUnavailable:
        return
    g.rate = (limit, window_s, max(0, limit - count), left_s)
    if count > limit:
        raise errors.RateLimited(limit=f"{limit}/{window_s} s", retry_after_s=max(1, left_s))


def _sent_key() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.headers.get("X-API-Key", "")
