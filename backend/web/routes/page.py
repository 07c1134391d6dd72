"""The upload page, the operator's page and their files, from ``frontend/``.

The operator's page holds no figures: they come over Socket.IO (``socketio/live_status``), which asks for a key where keys are set.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Response, request, send_from_directory
from markupsafe import Markup, escape

from backend import errors
from backend.core import options
from backend.core.formats import OUTPUT
from backend.core.security_headers import PAGE_POLICY
from backend.web.openapi.resource import Resource
from backend.web.request import client_identity
from backend.web.request.context import web_context
from backend.web.request.page_language import VARY, page_language, remember
from backend.web.response import page_texts
from backend.web.response.html_response import html_response, markup
from backend.web.response.json_response import json_response
from backend.web.response.page_frame import frontend_page
from backend.web.response.revalidation import revalidate

routes = Resource("page", __name__)
ORIGIN = "$origin"
"""In the page's head: a picture for links to it has a whole address (Open Graph)."""
FORMAT_OPTIONS, FORMAT_PATTERN = "$format_options", "$format_pattern"
"""In the form for readers without scripts: the formats that are written, and what a list of them looks like."""
MANIFEST: dict[str, Any] = {
    "id": "./",
    "start_url": "./",
    "scope": "./",
    "display": "standalone",
    "background_color": "#f5f7f5",
    "theme_color": "#0a755b",
    "icons": [
        {"src": "static/icons/favicon.svg", "sizes": "any", "type": "image/svg+xml"},
        {"src": "static/icons/icon-192.png", "sizes": "192x192", "type": "image/png"},
        {"src": "static/icons/icon-512.png", "sizes": "512x512", "type": "image/png"},
        {"src": "static/icons/icon-maskable-512.png", "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
    ],
    "share_target": {
        "action": "share",
        "method": "POST",
        "enctype": "multipart/form-data",
        "params": {"files": [{"name": "file", "accept": ["image/*"]}]},
    },
}
"""W3C Web Application Manifest; ``share_target`` is of W3C Web Share Target."""


@routes.get("/")
def index() -> Response:
    client_identity.ensure_token()
    origin = web_context().public_origin or request.host_url.rstrip("/")
    page = frontend_page("index.html", "/").replace(ORIGIN, escape(origin + request.script_root), 1)
    pattern = options.schema()["formats"]["pattern"].strip("^$")
    return html_response(page.replace(FORMAT_OPTIONS, _format_options(), 1).replace(FORMAT_PATTERN, escape(pattern), 1), VARY)


def _format_options() -> Markup:
    each_option = (markup('<option value="{name}">{label}</option>', name=each.name, label=each.source.label) for each in OUTPUT.values())
    return markup("").join(each_option)


@routes.get("/status")
def status() -> Response:
    return html_response(frontend_page("status.html", "/status"), VARY)


@routes.get("/plain/language/<tag>")
def choose_language(tag: str) -> Response:
    """For readers without scripts: remember the choice and go back. Raises ``NotFound`` for a language that is not here."""
    if tag not in page_texts.languages(web_context().frontend):
        raise errors.NotFound
    response = Response(status=303, headers={"Location": request.script_root + _path_of_referrer(), "Cache-Control": "no-store"})
    remember(response, tag)
    return response


def _path_of_referrer() -> str:
    """The page that was left, without the prefix; the first page where it is not known, or of another host."""
    parts = urlsplit(request.headers.get("Referer", ""))
    path = parts.path.removeprefix(request.script_root)
    is_own = parts.netloc == request.host and path.startswith("/") and not path.startswith(("//", "/\\"))
    return path + (f"?{parts.query}" if parts.query else "") if is_own else "/"


@routes.get("/static/<path:name>")
def static_file(name: str) -> Response:
    """A browser asks for it each time (``no-cache`` with an ETag), so that an upgraded gateway never meets an older page's scripts."""
    response = send_from_directory(web_context().frontend, name, conditional=True, max_age=None)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    return response


@routes.get("/static/texts/<language>/<part>.json")
def texts(language: str, part: str) -> Response:
    """One part of the page's texts. Like a file of the page, it is asked for each time. Raises ``NotFound`` for an unknown language or part."""
    parts = page_texts.parts(web_context().frontend, language)
    if part not in parts:
        raise errors.NotFound
    return revalidate(json_response(parts[part], cache="no-cache"))


@routes.get("/manifest.webmanifest")
def manifest() -> Response:
    """What a phone or a computer needs to install the page. Its addresses are relative, so that it also works below a path prefix."""
    language = page_language()
    words = page_texts.catalog(web_context().frontend, language)
    about = {"lang": language, "name": words["page.name"], "short_name": "WebP", "description": words["page.description"]}
    response = revalidate(json_response({**about, **MANIFEST}, cache="no-cache", vary=VARY))
    response.content_type = "application/manifest+json"
    return response


@routes.get("/service-worker.js")
def service_worker() -> Response:
    """From the root, since a service worker serves the pages below its own address alone."""
    return static_file("js/service-worker.js")


@routes.get("/favicon.ico")
def favicon() -> Response:
    return static_file("icons/favicon.svg")
