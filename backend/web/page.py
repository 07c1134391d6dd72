"""The upload page and its files, straight from ``frontend/``."""

from __future__ import annotations

from flask import Blueprint, Response, request, send_from_directory

from backend.web import callers, makers
from backend.web.site import site

routes = Blueprint("page", __name__)


@routes.get("/")
def index() -> Response:
    makers.introduce()
    text = (site().frontend / "index.html").read_text("utf-8").replace('lang="en"', f'lang="{callers.language()}"', 1)
    response = Response(text, content_type="text/html; charset=utf-8")
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
