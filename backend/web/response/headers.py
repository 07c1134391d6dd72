"""What routes have in common: request id, rate limit, and CORS for the origins that the operator named.

``server/security_headers`` adds what every answer has, those of Socket.IO too.
"""

from __future__ import annotations

import re

from flask import Flask, Response, g, request

from backend.flows import shares
from backend.web.request import auth, client_identity, origins, upload_headers
from backend.web.request.context import web_context
from backend.web.request.peer import peer

EXPOSED = (
    "Location, Retry-After, ETag, Link, Preference-Applied, RateLimit, RateLimit-Policy, Server-Timing, X-Request-Id, X-Result, Content-Disposition, "
    "Content-Language, Content-Range, Accept-Ranges, "
    "Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm, Upload-Offset, Upload-Length, Upload-Defer-Length, "
    "Upload-Metadata, Upload-Expires, Upload-Concat"
)


def install(app: Flask) -> None:
    @app.before_request
    def note_route() -> None:
        """For metrics and the access log: the route's template, since a path holds ids and a client may make up any."""
        web_context().bind_log(auth.request_id())
        if request.url_rule is not None:
            peer().note("route", re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", request.url_rule.rule))

    @app.before_request
    def preflight() -> Response | None:
        """tus answers ``OPTIONS`` itself."""
        is_preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        return Response(status=204) if is_preflight and origins.is_allowed() and not upload_headers.is_upload_path() else None

    @app.after_request
    def count_bytes(response: Response) -> Response:
        """The body's bytes belong to the client's day, whatever became of them."""
        if received_bytes := peer().received_bytes:
            shares.count_bytes(web_context().context, auth.known_client(), received_bytes)
        return response

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers["X-Request-Id"] = auth.request_id()
        client_identity.set_cookie(response)
        _set_rate(response)
        if web_context().allowed_origins:
            _allow_origin(response)
        return response


def _set_rate(response: Response) -> None:
    """draft-ietf-httpapi-ratelimit-headers-10."""
    if "rate" in g:
        limit, window_s, remaining, left_s = g.rate
        response.headers.add("RateLimit-Policy", f'"default";q={limit};w={window_s}')
        response.headers.add("RateLimit", f'"default";r={remaining};t={left_s}')


def _allow_origin(response: Response) -> None:
    response.headers.add("Vary", "Origin")
    if origins.is_allowed():
        response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
        response.headers["Access-Control-Expose-Headers"] = EXPOSED
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
            response.headers["Access-Control-Allow-Headers"] = request.headers.get("Access-Control-Request-Headers", "")
            response.headers["Access-Control-Max-Age"] = "7200"
            if "Access-Control-Request-Private-Network" in request.headers:
                response.headers["Access-Control-Allow-Private-Network"] = "true"


def allow_embedding(response: Response) -> Response:
    """Let plain elements of other sites, such as ``<img>``, show these bytes, where the operator named any other origin.

    An element sends no ``Origin``, so which site asks is not known. Nothing is given away: the address holds the job's id, which nobody can
    guess, and whoever has it gets the bytes anyway. Where there are keys, an element cannot send one.
    """
    if web_context().allowed_origins:
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
