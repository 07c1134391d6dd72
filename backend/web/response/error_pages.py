"""An error as a page: what happened, and where to go from here. Its sentences are the problem's own."""

from __future__ import annotations

from flask import Response, current_app, request
from markupsafe import Markup

from backend import errors
from backend.core.reader import Reader
from backend.texts import text
from backend.texts.problems import problem
from backend.web.request import auth, examples
from backend.web.request.page_language import page_language
from backend.web.response.html_response import markup
from backend.web.response.page_frame import lone_response, own_page, own_response

AFTER_A_WHILE = frozenset((408, 429, 503, 504))
"""Asking again may help."""
SHOWN_CHARACTERS = 200
BODY = (
    '<div class="leaf leaf-error"><p class="leaf-status" aria-hidden="true">{status}</p><h1>{title}</h1><p class="leaf-detail">{detail}</p>'
    '{ways}<p class="leaf-asked"><code>{method} {path}</code></p><p class="leaf-note">{note}</p></div>'
)
WAYS = '<p class="leaf-ways">{ways}</p>'
WAY = '<a class="button{kind}" href="{address}">{text}</a>'
NOTE = '<a href="/problems/{code}">{about}</a> · {request}'


def error_page(error: errors.GatewayError) -> Response:
    language = page_language()
    known = Reader(language, problem)  # its paths are those of the page, to which ``with_prefix`` adds the prefix
    filled = {**examples.of_request(), "request_id": auth.request_id(), "retry_after_s": error.retry_after_s or 1}
    told = known.problem(error.as_record(), **filled)
    asked = {"method": request.method[:SHOWN_CHARACTERS], "path": _shown_path()}
    told_request = text("error_page.request", language, request_id=auth.request_id())
    if isinstance(error, errors.WrongHost):
        response = lone_response(told["title"], markup(BODY, **told, **asked, ways="", note=told_request), error.status)
    else:
        note = markup(NOTE, code=told["code"], about=text("error_page.about", language), request=told_request)
        body = markup(BODY, **told, **asked, ways=_ways(error, str(told.get("suggestion", "")), language), note=note)
        response = own_response(own_page(told["title"], body), error.status)
    response.headers["Content-Language"] = language
    response.headers["Vary"] = f"Accept, {response.headers['Vary']}"
    return response


def _ways(error: errors.GatewayError, suggestion: str, language: str) -> Markup:
    """Buttons to the nearest places, the likeliest first."""
    found = [("/", text("error_page.convert", language)), ("/api/docs", text("error_page.docs", language))]
    if request.path.startswith("/api"):
        found.reverse()
    if _can_be_opened(suggestion):
        found.insert(0, (suggestion, text("error_page.nearest", language, address=suggestion)))
    elif error.status in AFTER_A_WHILE and request.method == "GET":
        found.insert(0, (_own_address(), text("error_page.again", language)))
    kinds = (" button-primary", *("",) * len(found))
    return markup(WAYS, ways=Markup().join(markup(WAY, kind=kind, address=way[0], text=way[1]) for kind, way in zip(kinds, found, strict=False)))


def _can_be_opened(path: str) -> bool:
    """Whether a link leads there: a browser sends GET."""
    adapter = current_app.create_url_adapter(request)
    return path.startswith("/") and adapter is not None and "GET" in adapter.allowed_methods(path)


def _own_address() -> str:
    """Path and query as they came, but never an address of another host."""
    path = request.full_path if request.query_string else request.path
    return path if not path.startswith(("//", "/\\")) else "/"


def _shown_path() -> str:
    path = request.script_root + request.path
    return path if len(path) <= SHOWN_CHARACTERS else f"{path[:SHOWN_CHARACTERS]}…"
