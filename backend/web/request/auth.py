"""The client of a request: its language, request id, API key and rate limit."""

from __future__ import annotations

import re
import secrets

from flask import g, request

from backend import errors, texts
from backend.core.api_keys import ApiKey, digest_of, is_mistyped
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


def api_key() -> ApiKey | None:
    """The request's; None where the gateway has no keys. Raises ``Unauthorized``."""
    if "api_key" not in g:
        g.api_key = key_of(web_context(), _sent_key())
    found: ApiKey | None = g.api_key
    return found


def key_of(web: WebContext, text: str) -> ApiKey | None:
    """The key that a client sent; None where the gateway has no keys. Raises ``Unauthorized``, which says of a key that is unknown nothing that
    the client could not compute itself."""
    if not web.api_keys.are_set:
        return None
    found = web.api_keys.find(digest_of(text))
    if found is None:
        raise errors.Unauthorized("mistyped" if is_mistyped(text) else "wrong" if text else "")
    if found.expires_at <= web.context.clock():
        raise errors.Unauthorized("expired")
    return found


def owner() -> str:
    """The digest of the request's API key; empty where the gateway has no keys. Raises ``Unauthorized``."""
    key = api_key()
    return key.digest if key else ""


def has_lost_key() -> bool:
    """Whether the request's key was taken away, or has expired, since the request began."""
    return not is_admitted(web_context(), owner())


def check_again() -> None:
    """After a wait. Raises ``Unauthorized``."""
    if has_lost_key():
        raise errors.Unauthorized()


def has_left() -> bool:
    """Whether nobody waits for the answer any more, or nobody who may have it."""
    return peer().has_left() or has_lost_key()


def is_admitted(web: WebContext, owner: str) -> bool:
    """Whether an owner's key still counts. Sockets and streams, which outlive their request, ask this about once a second."""
    if not web.api_keys.are_set:
        return owner == ""
    found = web.api_keys.find(owner)
    return found is not None and found.expires_at > web.context.clock()


def check_figures() -> None:
    """Raises ``Unauthorized``, ``OperatorOnly`` for a client that may not read figures of everybody's work."""
    key = api_key()
    if key is not None and not key.reads_figures:
        raise errors.OperatorOnly("operator")


def may_read_figures() -> bool:
    """As ``check_figures``, for an answer that is given without a key too. The metrics port is the operator's."""
    port = web_context().metrics_port
    if port is not None and peer().listener_port == port:
        return True
    try:
        check_figures()
    except errors.Unauthorized:
        return False
    return True


def client_limits() -> ClientLimits:
    """What the client of this request may have: its key's own limits, else the gateway's. Raises ``Unauthorized``."""
    key, defaults = api_key(), web_context().client_limits
    return key.limits(defaults) if key else defaults


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
    web, key = web_context(), api_key()
    allowed = (key and key.rate_limit) or web.rate_limit
    if allowed is None:
        return
    limit, window_s = allowed
    try:
        count, left_s = web.context.counters.count_in_window(f"rate:{client()}", amount, window_s)
    except errors.BackendUnavailable:
        return
    g.rate = (limit, window_s, max(0, limit - count), left_s)
    if count > limit:
        raise errors.RateLimited(limit=limit, window_s=window_s, retry_after_s=max(1, left_s))


def _sent_key() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.headers.get("X-API-Key", "")
