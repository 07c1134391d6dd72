"""The upload page and its files, straight from ``frontend/``."""

from __future__ import annotations

from flask import Blueprint, Response, request, send_from_directory

from backend.web.request import auth, client_identity
from backend.web.request.context import site
from backend.web.response.page_texts import in_language, with_languages

routes = Blueprint("page", __name__)


@routes.get("/")
def index() -> Response:
    client_identity.introduce()
    return html("index.html")


def html(name: str) -> Response:
    """A page of ``frontend/`` in the reader's language, so that it is readable before its scripts run, and without them."""
    frontend = site().frontend
    page = with_languages(in_language((frontend / name).read_text("utf-8"), frontend, auth.language()), frontend)
    response = Response(page, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Vary"] = "Accept-Language"
    response.add_etag()
    response.make_conditional(request)
    return response


@routes.get("/static/<path:name>")
def static_file(name: str) -> Response:
    """Always asked again (``no-cache`` with an ETag), so that an upgraded gateway never meets yesterday's page."""
    response = send_from_directory(site().frontend, name, conditional=True, max_age=None)
    response.headers["Cache-Control"] = "no-cache"
    return response


@routes.get("/favicon.ico")
def favicon() -> Response:
    return static_file("icons/favicon.svg")
