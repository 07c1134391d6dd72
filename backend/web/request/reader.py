"""The reader of the present answer: its language, and under which address it sees the gateway.

The path prefix is WSGI's ``SCRIPT_NAME``, which ``server/path_prefix`` sets.
"""

from __future__ import annotations

from flask import request

from backend.core.reader import Reader
from backend.texts.problems import problem
from backend.web.request import auth, origins
from backend.web.request.context import web_context


def reader() -> Reader:
    return Reader(auth.language(), problem, request.script_root, _origin())


def _origin() -> str:
    """What the operator says; else, for a page of another site, the name under which it asks: from there, a path would lead to its own host."""
    web = web_context()
    is_foreign = origins.is_allowed() and request.headers["Origin"] != request.host_url.rstrip("/")
    return web.public_origin or (request.host_url.rstrip("/") if is_foreign else "")
