"""The upload page, the operator's page and their files, from ``frontend/``.

The operator's page holds no figures: they come over Socket.IO (``socketio/live_status``), which asks for a key where keys are set.
"""

from __future__ import annotations

from flask import Response, send_from_directory

from backend import errors
from backend.core.security_headers import PAGE_POLICY
from backend.web.openapi.resource import Resource
from backend.web.request import auth, client_identity
from backend.web.request.context import web_context
from backend.web.response import page_texts
from backend.web.response.html_response import html_response
from backend.web.response.json_response import json_response
from backend.web.response.page_texts import in_language, with_languages
from backend.web.response.revalidation import revalidate

routes = Resource("page", __name__)


@routes.get("/")
def index() -> Response:
    client_identity.ensure_token()
    return _page("index.html")


@routes.get("/status")
def status() -> Response:
    return _page("status.html")


def _page(name: str) -> Response:
    """In the reader's language already, so that it can be read before its scripts run, and without them."""
    frontend = web_context().frontend
    return html_response(with_languages(in_language((frontend / name).read_text("utf-8"), frontend, auth.language()), frontend))


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
