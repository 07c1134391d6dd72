"""The upload page, the operator's page and their files, from ``frontend/``.

The operator's page holds no figures: they come over Socket.IO (``socketio/live_status``), which asks for a key where keys are set.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, request, send_from_directory

from backend import errors
from backend.core.security_headers import PAGE_POLICY
from backend.web.openapi.resource import Resource
from backend.web.request import client_identity
from backend.web.request.context import web_context
from backend.web.request.page_language import VARY, remember
from backend.web.response import page_texts
from backend.web.response.html_response import html_response
from backend.web.response.json_response import json_response
from backend.web.response.page_frame import frontend_page
from backend.web.response.revalidation import revalidate

routes = Resource("page", __name__)


@routes.get("/")
def index() -> Response:
    client_identity.ensure_token()
    return html_response(frontend_page("index.html", "/"), VARY)


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


@routes.get("/favicon.ico")
def favicon() -> Response:
    return static_file("icons/favicon.svg")
