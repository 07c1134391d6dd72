"""Who may ask at all: under an admitted host name, from no page of another site, and for nothing that this server cannot keep open. One place for
REST, pages, uploads, sockets and events.

It stands before Socket.IO, whose requests never reach Flask. What it refuses does reach Flask, which answers as for any error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flask import Flask, request

from backend.core import cross_site
from backend.core.cross_site import Claim
from backend.core.host_names import AllowedHosts
from backend.errors import CrossSite, GatewayError, WrongHost
from backend.web.request import realtime
from backend.web.request.upload_headers import OVERRIDE

REFUSAL = "webp-gateway.refusal"
OVERRIDING = f"HTTP_{OVERRIDE.upper().replace('-', '_')}"
SHOWN_CHARACTERS = 100

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Any], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Rules:
    """``origins`` are those of pages that may ask; ``public_origin``, in lower case, is the gateway's own, empty where the operator says none."""

    hosts: AllowedHosts
    origins: frozenset[str] = frozenset()
    public_origin: str = ""

    def refusal(self, environ: Environ) -> GatewayError | None:
        host = environ.get("HTTP_HOST", "")
        if host and not self.hosts.admit(host):
            return WrongHost(host=_shown(host))
        if not _is_guarded(environ):
            return None
        site = cross_site.foreign_site(self._claim(environ, host.lower()), self.origins)
        return None if site is None else CrossSite(site=_shown(site))

    def _claim(self, environ: Environ, host: str) -> Claim:
        scheme, _, public_host = self.public_origin.partition("://")
        scheme = scheme if public_host == host else environ["wsgi.url_scheme"]
        return Claim(host, scheme, environ.get("HTTP_ORIGIN"), environ.get("HTTP_SEC_FETCH_SITE"))


class Admission:
    """Wraps the application ``app``, in which Socket.IO stands before Flask. ``flask_app`` is Flask alone."""

    def __init__(self, app: Wsgi, flask_app: Wsgi, rules: Rules) -> None:
        self._app, self._flask_app, self._rules = app, flask_app, rules

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        refusal = self._rules.refusal(environ) or realtime.refusal(environ)
        if refusal is None:
            return self._app(environ, start_response)
        environ[REFUSAL] = refusal
        return self._flask_app(environ, start_response)


def install(app: Flask) -> None:
    """Call it before anything else of the application may answer."""

    @app.before_request
    def refuse() -> None:
        """Raises ``WrongHost``, ``CrossSite``, ``NoRealtime``."""
        refusal: GatewayError | None = request.environ.get(REFUSAL)
        if refusal is not None:
            raise refusal


def _is_guarded(environ: Environ) -> bool:
    """By the method that is sent, and by the one that the client means (``upload_headers``)."""
    path = environ.get("PATH_INFO", "")
    meant = environ.get(OVERRIDING, "GET").strip().upper()
    return cross_site.is_guarded(environ["REQUEST_METHOD"], path) or cross_site.is_guarded(meant, path)


def _shown(text: str) -> str:
    """As it may stand in an answer and in a log."""
    return "".join(each if " " < each <= "~" else "?" for each in text[:SHOWN_CHARACTERS]) or "?"
