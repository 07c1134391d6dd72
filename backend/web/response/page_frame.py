"""What all pages have in common: one header, from ``frontend/header.html``, and one frame for pages that the server writes itself.

``frontend/page.html`` is the frame. ``frontend/alone.html`` is one that loads nothing: its styles stand in it, and its policy names their hash.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from string import Template

from flask import Response
from markupsafe import Markup, escape

from backend.core.security_headers import PAGE_POLICY
from backend.web.request.context import web_context
from backend.web.request.page_language import VARY, page_language
from backend.web.response.html_response import MEDIA_TYPE, markup, with_prefix
from backend.web.response.page_texts import catalog, in_language, languages, with_languages

HEADER = "<!-- header -->"
"""Where a page of ``frontend/`` has its header."""
LANGUAGES = '<!-- languages, each named by its "header.this_language" -->'
OWN_NAME = "header.this_language"
SHEETS = ("base", "controls", "header", "plain")
LINK = '<a href="/plain/language/{tag}" lang="{tag}" hreflang="{tag}"{current}>{name}</a>'
SHEET = '<link rel="stylesheet" href="/static/css/{name}.css">'
SPACE = markup("\n  ")
CHOSEN = ' aria-current="true"'


def frontend_page(name: str, place: str) -> str:
    """A page of ``frontend/`` with the header, in the reader's language, so that it can be read before its scripts run, and without them.

    ``place`` is its address, which the header marks."""
    frontend, language = web_context().frontend, page_language()
    html = (frontend / name).read_text("utf-8").replace(HEADER, _fragment(frontend), 1)
    return _mark(with_languages(in_language(html, frontend, language), frontend), frontend, place, language)


def own_page(title: str, body: Markup, *, place: str = "", head: Markup = Markup()) -> str:
    """A page that the server writes, in the frame. ``head`` is what its head has besides."""
    frontend, language = web_context().frontend, page_language()
    header = _mark(in_language(_fragment(frontend), frontend, language), frontend, place, language)
    parts = {"language": language, "languages": " ".join(languages(frontend)), "title": escape(title), "body": body, "head": head, "header": header}
    sheets = SPACE.join(markup(SHEET, name=each) for each in SHEETS)
    return Template((frontend / "page.html").read_text("utf-8")).substitute(parts, sheets=sheets)


def own_response(html: str, status: int = 200) -> Response:
    """A page that is of this moment: it is not kept."""
    response = Response(with_prefix(html), status, content_type=MEDIA_TYPE)
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = VARY
    return response


def lone_response(title: str, body: Markup, status: int) -> Response:
    """A page for a reader to whom the gateway gives nothing else, as under a wrong host name."""
    frontend = web_context().frontend
    styles = "".join((frontend / "css" / f"{name}.css").read_text("utf-8") for name in SHEETS)
    text = Template((frontend / "alone.html").read_text("utf-8"))
    response = own_response(text.substitute(language=page_language(), title=escape(title), body=body, styles=styles), status)
    digest = base64.b64encode(hashlib.sha256(styles.encode()).digest()).decode()
    response.headers["Content-Security-Policy"] = f"{PAGE_POLICY}; style-src 'sha256-{digest}'"
    return response


def _fragment(frontend: Path) -> str:
    return (frontend / "header.html").read_text("utf-8").rstrip()


def _mark(html: str, frontend: Path, place: str, language: str) -> str:
    """With a link for each language, for readers without scripts, and the present place marked."""
    marks = {language: markup(CHOSEN)}
    links = SPACE.join(markup(LINK, tag=each, name=catalog(frontend, each)[OWN_NAME], current=marks.get(each, "")) for each in languages(frontend))
    html = html.replace(LANGUAGES, links, 1)
    return html.replace(f'href="{place}" data-t="header.', f'href="{place}" aria-current="page" data-t="header.', 1) if place else html
