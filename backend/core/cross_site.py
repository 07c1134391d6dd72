"""Whose page asks: the rule against requests that a page of another site makes its reader's browser send.

A browser lets any page post a form, or open a socket, to any address, and sends along what it knows of that address. It also says where the request
comes from. ``Sec-Fetch-Site`` (W3C Fetch Metadata) is sent over TLS and to loopback names; ``Origin`` (Fetch §3.2) with every request that changes
something, and with sockets. No page can write either header. A client that sends neither is no browser.

Reading is left to the browser: without CORS headers no page sees an answer of another site. But sockets have no CORS, and an event stream is held
open, so both are asked for as if they changed something.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
"""RFC 9110 §9.2.1, less ``TRACE``. No route of ours changes anything by them."""
OWN = frozenset(("same-origin", "none"))
"""Our own page, or nobody's: the address line, a bookmark, an extension of the browser."""
SOCKETS, STREAMS = "/socket.io", ("/ws", "/events")
"""Where paths begin, and where they end, of connections that are held open."""
DEFAULT_PORTS = {"http": "80", "https": "443"}
PORT = re.compile(r":\d+$")
TLS_SCHEMES = frozenset(("https", "wss"))
"""Some proxies tell ``wss`` for a WebSocket."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says. ``fetch_site`` and ``origin`` are None where it says nothing. ``host`` and ``scheme`` are those by which the client
    reaches the gateway, as far as known: where a proxy ends TLS and does not say so, ``scheme`` is ``http``."""

    host: str
    scheme: str = "http"
    origin: str | None = None
    fetch_site: str | None = None


def is_guarded(method: str, path: str) -> bool:
    """Whether a page of another site may not ask for it. ``path`` is from the gateway's root."""
    return method not in SAFE_METHODS or path.startswith(SOCKETS) or path.endswith(STREAMS)


def foreign_site(claim: Claim, admitted: Collection[str]) -> str | None:
    """What the request says of the other site whose page asks; None where no page of another site does. ``admitted`` are the origins that the
    operator has named."""
    if claim.origin is not None and claim.origin in admitted:
        return None
    if claim.fetch_site:
        return None if claim.fetch_site in OWN else claim.origin or claim.fetch_site
    return None if claim.origin is None or is_own(claim.origin, claim.host, claim.scheme) else claim.origin


def is_own(origin: str, host: str, scheme: str) -> bool:
    """Whether a page of ``origin`` came from ``host``.

    A page over TLS may reach a gateway that knows of none: a proxy in front has ended it. A page without TLS may not reach one that is known to be
    behind TLS, since anybody on the way can write such a page.
    """
    own_scheme, _, authority = origin.partition("://")
    if own_scheme not in DEFAULT_PORTS or (scheme in TLS_SCHEMES and own_scheme != "https"):
        return False
    return bool(authority) and _with_port(authority, own_scheme) == _with_port(host, own_scheme)


def _with_port(authority: str, scheme: str) -> str:
    return authority.lower() if PORT.search(authority) else f"{authority.lower()}:{DEFAULT_PORTS[scheme]}"
