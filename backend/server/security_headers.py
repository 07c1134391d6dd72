"""Puts the security headers (``core/security_headers``) on every answer of the application, those of Socket.IO included."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from backend.core.security_headers import with_security
from backend.server.wsgi import Environ, StartResponse, Wsgi


class SecurityHeaders:
    """Wraps the whole application."""

    def __init__(self, app: Wsgi) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start_response(status, with_security(headers), *more)

        return self._app(environ, start)
