"""The upload page and its files, straight from ``frontend/``."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from pathlib import Path

from flask import Blueprint, Response, request, send_from_directory

from backend.web.request import auth, client_identity
from backend.web.request.context import site
from backend.web.response.page_languages import with_languages

routes = Blueprint("page", __name__)


@routes.get("/")
def index() -> Response:
    client_identity.introduce()
    return html("index.html")


def html(name: str) -> Response:
    """A page of ``frontend/`` in the reader's language, so that it is readable before its scripts run, and without them."""
    frontend = site().frontend
    text = with_languages(_in_language((frontend / name).read_text("utf-8"), auth.language()), frontend)
    response = Response(text, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Vary"] = "Accept-Language"
    response.add_etag()
    response.make_conditional(request)
    return response


def _in_language(text: str, language: str) -> str:
    """English is what stands in the file. Texts are set where ``data-t`` names them, as the page's scripts do."""
    if language == "en":
        return text
    catalog = _catalog(site().frontend / "i18n" / f"{language}.js")
    text = text.replace('<html lang="en"', f'<html lang="{language}"', 1)
    text = re.sub(r"<title data-t=\"([^\"]+)\">[^<]*", lambda match: f"<title>{escape(catalog[match[1]])}", text)
    return re.sub(r"(data-t=\"([^\"]+)\"[^<>]*>)[^<]*", lambda match: match[1] + escape(catalog.get(match[2], match[0])), text)


@cache
def _catalog(path: Path) -> dict[str, str]:
    """The texts of ``i18n/``, which are lines of ``'key': 'text',``."""
    return dict(re.findall(r"^  '([a-z_.]+)': '([^']*)',$", path.read_text("utf-8"), re.MULTILINE))


@routes.get("/static/<path:name>")
def static_file(name: str) -> Response:
    """Always asked again (``no-cache`` with an ETag), so that an upgraded gateway never meets yesterday's page."""
    response = send_from_directory(site().frontend, name, conditional=True, max_age=None)
    response.headers["Cache-Control"] = "no-cache"
    return response


@routes.get("/favicon.ico")
def favicon() -> Response:
    return static_file("icons/favicon.svg")
