"""``/problems/<code>``: what a problem's ``type`` points at (RFC 9457 §3.1.1). A page for people, JSON where ``Accept`` asks for it."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from markupsafe import Markup

from backend import errors
from backend.texts import text
from backend.texts.problems import details_of
from backend.web.openapi.resource import Resource
from backend.web.request import auth, nearest_route, page_language
from backend.web.response.html_response import html_response, markup
from backend.web.response.json_response import json_response
from backend.web.response.page_frame import own_page
from backend.web.response.revalidation import revalidate

routes = Resource("problem_types", __name__)
VARY = f"Accept, {page_language.VARY}"
INDEX = '<div class="leaf"><h1>{title}</h1><p class="lead">{lead}</p><ul class="leaf-list">{items}</ul></div>'
ITEM = (
    '<li><a href="/problems/{code}"><span class="leaf-name">{title}</span><span class="leaf-facts"><code>{code}</code> · {statuses}</span>'
    '<span class="leaf-happened">{happened}</span></a></li>'
)
BODY = (
    '<div class="leaf"><p class="leaf-up"><a href="/problems">{heading[index]}</a></p><h1>{known[title]}</h1>'
    '<p class="leaf-facts"><code>{known[code]}</code> · {heading[status]} {statuses}</p>'
    "<h2>{heading[happened]}</h2><p>{known[happened]}</p><h2>{heading[advice]}</h2><p>{known[advice]}</p>"
    '<h2>{heading[sentences]}</h2><ul class="leaf-sentences">{sentences}</ul></div>'
)


def statuses(code: str) -> list[int]:
    kinds = [errors.BY_CODE[code]]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return sorted({kind.status for kind in kinds})


def describe(code: str, language: str, prefix: str = "") -> dict[str, Any]:
    return {
        "type": f"{prefix}/problems/{code}",
        "code": code,
        "title": text(f"errors.{code}.title", language),
        "status": statuses(code),
        "happened": text(f"errors.{code}.happened", language),
        "advice": text(f"errors.{code}.advice", language),
        "sentences": list(dict.fromkeys(details_of(code, language))),
    }


@routes.get("/problems")
def index() -> Response:
    language = _language()
    known = [describe(code, language, request.script_root) for code in errors.BY_CODE]
    items = Markup().join(markup(ITEM, **{**each, "statuses": _listed(each["status"])}) for each in known)
    title = text("problem_page.index", language)
    return _answer({"problems": known}, title, markup(INDEX, title=title, lead=text("problem_page.lead", language), items=items), language)


@routes.get("/problems/<code>")
def show(code: str) -> Response:
    if code not in errors.BY_CODE:
        raise errors.NotFound("no_route", path=nearest_route.shown_path())
    language = _language()
    known = describe(code, language, request.script_root)
    headings = {
        "index": text("problem_page.index", language),
        "status": text("problem_page.status", language),
        "happened": text("problem_page.happened", language),
        "advice": text("problem_page.advice", language),
        "sentences": text("problem_page.sentences", language),
    }
    sentences = Markup().join(markup("<li>{sentence}</li>", sentence=each) for each in known["sentences"])
    body = markup(BODY, heading=headings, known=known, statuses=_listed(known["status"]), sentences=sentences)
    return _answer(known, known["title"], body, language)


def _answer(record: dict[str, Any], title: str, body: Markup, language: str) -> Response:
    if _wants_json():
        response = revalidate(json_response(record, cache="no-cache", vary=VARY))
    else:
        response = html_response(own_page(title, body, place="/problems"), VARY)
    response.headers["Content-Language"] = language
    return response


def _language() -> str:
    """A program asks for its language each time; a person may have chosen one."""
    return auth.language() if _wants_json() else page_language.page_language()


def _listed(found: list[int]) -> str:
    return ", ".join(map(str, found))


def _wants_json() -> bool:
    best = request.accept_mimetypes.best_match(["text/html", "application/json", "application/problem+json"], "text/html")
    return best != "text/html"
