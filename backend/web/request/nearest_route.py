"""Which address somebody meant who asked for one that there is not: the same without its slash, another spelling, another tool's word."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flask import current_app, request
from werkzeug.routing import MapAdapter

from backend.core.suggestions.likeness import LIKE, nearest, ratio

HIDDEN = ("/static", "/plain", "/favicon.ico", "/socket.io")
"""Addresses for the page alone."""
OTHER_NAMES = {
    **dict.fromkeys(("upload", "image", "images", "img", "file", "files", "submit", "enqueue", "queue", "task", "tasks", "webp"), "/api/jobs"),
    **dict.fromkeys(("compress", "optimize", "optimise", "resize", "encode", "transform", "process", "transcode"), "/api/convert"),
    **dict.fromkeys(("tus", "resumable"), "/api/uploads"),
    **dict.fromkeys(("healthz", "healthcheck", "ping", "up", "_health", "actuator"), "/api/health"),
    **dict.fromkeys(("livez", "alive"), "/api/health/live"),
    **dict.fromkeys(("readyz", "readiness"), "/api/health/ready"),
    **dict.fromkeys(("api", "swagger", "redoc", "documentation", "apidocs", "help", "reference"), "/api/docs"),
    **dict.fromkeys(("swagger.json", "openapi.yaml", "spec", "schema"), "/api/openapi.json"),
    **dict.fromkeys(("info", "config", "settings", "version", "formats", "limits", "options"), "/api/capabilities"),
    **dict.fromkeys(("index.html", "index.php", "home", "ui", "app"), "/"),
    **dict.fromkeys(("dashboard", "admin", "monitor", "flower"), "/status"),
    **dict.fromkeys(("prometheus", "stats"), "/metrics"),
    **dict.fromkeys(("batch",), "/api/jobs"),
}
"""What other services call it. One that is a route here by itself is found before."""
MOST_SHOWN = 200


def nearest_route() -> str:
    """The path of the route that was meant; empty where that is not clear."""
    plain = tidied(request.path)
    bare = re.sub(r"^/(?:api)?(?:/?v[0-9]{1,2})?(?=/|$)", "", plain)
    if plain.startswith(HIDDEN) or len(plain) > MOST_SHOWN:
        return ""
    if not bare:
        return OTHER_NAMES["api"]
    for path in (plain, plain.lower(), f"/api{bare}", bare):
        if _methods(path):
            return path
    word = bare.strip("/").lower()
    return OTHER_NAMES.get(word) or _like(f"/api{bare}") or _like(bare) or OTHER_NAMES.get(word.partition("/")[0]) or _other(word)


def shown_path() -> str:
    """The asked path as it may stand in a sentence."""
    return "".join(each if each.isprintable() else "?" for each in request.path[:MOST_SHOWN])


def tidied(path: str) -> str:
    """``path`` without doubled slashes and one at its end."""
    return re.sub("/+", "/", path).rstrip("/") or "/"


def _methods(path: str) -> list[str]:
    """Those that a route at this very path takes; none for a hidden one."""
    return [] if path.startswith(HIDDEN) else list(_adapter().allowed_methods(path))


def _adapter() -> MapAdapter:
    adapter = current_app.create_url_adapter(request)
    assert adapter is not None, "a request has an address"
    return adapter


def _like(path: str) -> str:
    """The route with as many parts as ``path``, each like its own. What is variable of it stays."""
    asked = path.strip("/").split("/")
    found = [(score, filled) for filled, score in _filled_rules(asked) if score >= LIKE]
    return max(found)[1] if found else ""


def _filled_rules(asked: list[str]) -> Iterator[tuple[str, float]]:
    """Each route with the parts of ``asked`` for its variables, and how much it resembles that at the least like place."""
    for rule in current_app.url_map.iter_rules():
        parts = rule.rule.strip("/").split("/")
        if len(parts) == len(asked) and not rule.rule.startswith(HIDDEN):
            fixed = [ratio(one, other) for one, other in zip(asked, parts, strict=True) if not other.startswith("<")]
            filled = [one if other.startswith("<") else other for one, other in zip(asked, parts, strict=True)]
            yield "/" + "/".join(filled), min(fixed, default=0.0)


def _other(word: str) -> str:
    near = nearest(word, OTHER_NAMES)
    return OTHER_NAMES[near] if near else ""
