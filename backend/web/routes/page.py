"""The upload page, the operator's page and their files, from ``frontend/``.

The operator's page holds no figures: they come over Socket.IO (``metrics/live_status``), which asks for a key where keys are set.
"""

from __future__ import annotations

import re
from functools import cache
from html import escape
from pathlib import Path

from flask import Response, send_from_directory

from backend.web.openapi.resource import Resource
from backend.web.request import auth, client_identity
from backend.web.request.context import web_context
from backend.web.response.html_response import html_response

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
    return html_response(_in_language((web_context().frontend / name).read_text("utf-8"), auth.language()))


def _in_language(text: str, language: str) -> str:
    """The file is in English. Texts are replaced where ``data-t`` names them, as the page's scripts do."""
    if language == "en":
        return text
    texts = web_context().frontend / "i18n"
    catalog = {**_catalog(texts / f"{language}.js"), **_catalog(texts / f"status-{language}.js")}
    text = text.replace('<html lang="en"', f'<html lang="{language}"', 1)
    text = re.sub(r"<title data-t=\"([^\"]+)\">[^<]*", lambda match: f"<title>{escape(catalog[match[1]])}", text)
    return re.sub(r"(data-t=\"([^\"]+)\"[^<>]*>)[^<]*", lambda match: match[1] + escape(catalog.get(match[2], match[0])), text)


@cache
def _catalog(path: Path) -> dict[str, str]:
    """The texts of ``i18n/``, which are lines of ``'key': 'text',``."""
    return dict(re.findall(r"^  '([a-z_.]+)': '([^']*)',$", path.read_text("utf-8"), re.MULTILINE))


@routes.get("/static/<path:name>")
def static_file(name: str) -> Response:
    """A browser asks for it each time (``no-cache`` with an ETag), so that an upgraded gateway never meets an older page's scripts."""
    response = send_from_directory(web_context().frontend, name, conditional=True, max_age=None)
    response.headers["Cache-Control"] = "no-cache"
    return response


@routes.get("/favicon.ico")
def favicon() -> Response:
    return static_file("icons/favicon.svg")
