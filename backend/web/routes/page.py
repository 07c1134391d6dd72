"""The upload page and its files, straight from ``frontend/``."""

from __future__ import annotations

import re
from html import escape

from flask import Blueprint, Response, request, send_from_directory

from backend import texts
from backend.web.request import auth, client_identity
from backend.web.request.context import site

routes = Blueprint("page", __name__)
TEXT_OF_AN_ELEMENT = re.compile(r"""(data-t="([^"]+)"[^<>]*>)[^<]*""")


@routes.get("/")
def index() -> Response:
    client_identity.introduce()
    return html("index.html")


def html(name: str) -> Response:
    """A page of ``frontend/`` in the reader's language, so that it is readable before its scripts run, and without them."""
    page = _in_language((site().frontend / name).read_text("utf-8"), auth.language())
    response = Response(page, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Vary"] = "Accept-Language"
    response.add_etag()
    response.make_conditional(request)
    return response


def _in_language(page: str, language: str) -> str:
    """English is what stands in the file. In another language every element with ``data-t`` gets its text, as by the page's own scripts."""
    if language == texts.DEFAULT:
        return page
    page = page.replace(f'<html lang="{texts.DEFAULT}"', f'<html lang="{language}"', 1)
    return TEXT_OF_AN_ELEMENT.sub(lambda found: found[1] + escape(texts.text(f"pages.{found[2]}", language)), page)


@routes.get("/static/<path:name>")
def static_file(name: str) -> Response:
    """Always asked again (``no-cache`` with an ETag), so that an upgraded gateway never meets yesterday's page."""
    response = send_from_directory(site().frontend, name, conditional=True, max_age=None)
    response.headers["Cache-Control"] = "no-cache"
    return response


@routes.get("/favicon.ico")
def favicon() -> Response:
    return static_file("icons/favicon.svg")
