"""Which pages of other sites may use the gateway: those of the origins that the operator named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request

from backend.web.request.context import WebContext, web_context


def is_allowed() -> bool:
    """Whether a page of an origin that the operator named asks."""
    return request.headers.get("Origin", "") in web_context().allowed_origins


def may_connect(web: WebContext, origin: str | None, environ: Mapping[str, Any]) -> bool:
    """Whether a page of this origin may open a socket: browsers let any page open one to any host. Our own pages may, under whatever name the
    client or the proxy says."""
    host = (origin or "").partition("://")[2]  # empty for ``null`` and ``file://``
    forwarded = environ.get("HTTP_X_FORWARDED_HOST", "").split(",")[0].strip()
    return bool(host) and (origin in (*web.allowed_origins, web.public_origin) or host in (environ.get("HTTP_HOST"), forwarded))
