"""The gateway below a path, behind a proxy: the application sees paths from its own root, and the prefix as ``SCRIPT_NAME`` (PEP 3333)."""

from __future__ import annotations

from collections.abc import Iterable

from backend.server.wsgi import Environ, StartResponse, Wsgi
from backend.settings.path_prefix import is_path_prefix


class PathPrefix:
    """Wraps the whole application, Socket.IO included.

    With ``prefix``, requests are answered alike with it and without it, since a proxy may pass it on or take it off. Without one, what the nearest
    ``hops`` proxies say in ``X-Forwarded-Prefix`` counts.
    """

    def __init__(self, app: Wsgi, prefix: str, hops: int) -> None:
        self._app, self._prefix, self._hops = app, prefix, hops

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ["PATH_INFO"] = without_prefix(environ.get("PATH_INFO", ""), self._prefix)
        environ["SCRIPT_NAME"] = self._prefix or forwarded_prefix(environ.get("HTTP_X_FORWARDED_PREFIX", ""), self._hops)
        return self._app(environ, start_response)


def without_prefix(path: str, prefix: str) -> str:
    """The path from the gateway's root. A proxy may have taken the prefix off already."""
    if path == prefix:
        return "/"
    return path.removeprefix(prefix) if prefix and path.startswith(f"{prefix}/") else path


def forwarded_prefix(header: str, hops: int) -> str:
    """What the nearest ``hops`` proxies say in ``X-Forwarded-Prefix``, each what it took off, the outermost first. Empty for a wrong form."""
    parts = [each.strip().rstrip("/") for each in header.split(",")][-hops:] if hops else []
    prefix = "".join(parts)
    return prefix if is_path_prefix(prefix) else ""
