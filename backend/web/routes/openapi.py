"""``/api/openapi.json``, the API's description, and ``/api/docs``, which shows it as a page."""

from __future__ import annotations

from functools import lru_cache

from flask import Response, request

from backend.web.openapi import document
from backend.web.openapi.answers import JSON, UNCHANGED
from backend.web.openapi.resource import Answer, Operation, Resource
from backend.web.openapi.schemas import TEXT
from backend.web.request import auth
from backend.web.request.context import web_context
from backend.web.request.page_language import VARY
from backend.web.response.html_response import html_response
from backend.web.response.json_response import MEDIA_TYPE, json_text
from backend.web.response.page_frame import frontend_page
from backend.web.response.revalidation import revalidate
from backend.web.routes import operations

routes = Resource("openapi", __name__, tag="gateway")


@routes.serve(
    Operation(
        "GET",
        "/api/openapi.json",
        "describeApi",
        {200: Answer({JSON: {"type": "object"}}, ("ETag",)), 304: UNCHANGED},
        parameters=("If-None-Match",),
        is_guarded=False,
    )
)
def description() -> Response:
    web = web_context()
    server = web.public_origin + request.script_root or "/"
    response = Response(_text(web.version, auth.language(), web.api_keys.are_set, server), content_type=MEDIA_TYPE)
    response.headers["Vary"] = "Accept-Language"
    response.headers["Content-Language"] = auth.language()
    return revalidate(response)


@lru_cache(maxsize=32)
def _text(version: str, language: str, has_keys: bool, server: str) -> str:
    return json_text(document.describe(operations(), version, language, has_keys, server))


@routes.serve(
    Operation(
        "GET",
        "/api/docs",
        "readDocs",
        {200: Answer({"text/html": TEXT}, ("ETag",)), 304: UNCHANGED},
        is_guarded=False,
    )
)
def page() -> Response:
    return html_response(frontend_page("docs/index.html", "/api/docs"), VARY)
