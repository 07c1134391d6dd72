"""``/problems/<code>``: what a problem's ``type`` points at (RFC 9457 §3.1.1). A page for people, JSON where ``Accept`` asks for it."""

from __future__ import annotations

from string import Template
from typing import Any

from flask import Response, request
from markupsafe import escape

from backend import errors
from backend.texts import text
from backend.texts.problems import details_of
from backend.web.openapi.resource import Resource
from backend.web.request import auth
from backend.web.request.context import web_context
from backend.web.response.html_response import html_response
from backend.web.response.json_response import json_response
from backend.web.response.revalidation import revalidate

routes = Resource("problem_types", __name__)
VARY = "Accept, Accept-Language"


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
    language = auth.language()
    known = [describe(code, language, request.script_root) for code in errors.BY_CODE]
    items = "".join(f'<li><a href="/problems/{each["code"]}"><code>{each["code"]}</code></a> {escape(each["title"])}</li>' for each in known)
    title = text("problem_page.index", language)
    return _answer({"problems": known}, title, f"<h1>{title}</h1><ul>{items}</ul>", language)


@routes.get("/problems/<code>")
def show(code: str) -> Response:
    if code not in errors.BY_CODE:
        raise errors.NotFound()
    language = auth.language()
    known = describe(code, language, request.script_root)
    sentences = "".join(f"<li>{escape(each)}</li>" for each in known["sentences"])
    body = (
        f'<p><a href="/problems">{text("problem_page.index", language)}</a></p><h1>{escape(known["title"])}</h1>'
        f"<p><code>{code}</code> · {text('problem_page.status', language)} {', '.join(map(str, known['status']))}</p>"
        f"<h2>{text('problem_page.happened', language)}</h2><p>{escape(known['happened'])}</p>"
        f"<h2>{text('problem_page.advice', language)}</h2><p>{escape(known['advice'])}</p>"
        f"<h2>{text('problem_page.sentences', language)}</h2><ul>{sentences}</ul>"
    )
    return _answer(known, known["title"], body, language)


def _answer(record: dict[str, Any], title: str, body: str, language: str) -> Response:
    if _wants_json():
        response = revalidate(json_response(record, cache="no-cache", vary=VARY))
    else:
        template = Template((web_context().frontend / "docs" / "problem.html").read_text("utf-8"))
        response = html_response(template.substitute(language=language, title=escape(title), body=body), vary=VARY)
    response.headers["Content-Language"] = language
    return response


def _wants_json() -> bool:
    best = request.accept_mimetypes.best_match(["text/html", "application/json", "application/problem+json"], "text/html")
    return best != "text/html"
