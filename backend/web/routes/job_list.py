"""``GET /api/jobs``: the caller's own jobs, newest first, a page at a time."""

from __future__ import annotations

import difflib
import json
import re
from typing import cast
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from backend import errors
from backend.core import cursor
from backend.core.cursor import Place
from backend.core.job import STATES, State, public
from backend.flows import list_jobs
from backend.texts.problems import problem_in
from backend.web.request import auth, client_identity
from backend.web.request.context import site

routes = Blueprint("listing", __name__)
PARAMETERS = ("state", "limit", "cursor")
DEFAULT_LIMIT, MOST = 50, 200


@routes.get("/api/jobs")
def index() -> Response:
    maker, owner, problem = client_identity.maker(), auth.owner(), problem_in(auth.language())
    _check_names()
    states, limit, before = _states(), _limit(), _before()
    jobs, place = list_jobs.page(site().context, maker, owner, states=states, limit=limit, before=before)
    following = _address(states, limit, place) if place else None
    body = {"jobs": [public(job, problem) for job in jobs], "next": following}
    response = Response(json.dumps(body, ensure_ascii=False), content_type="application/json")
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Vary"] = "Accept-Language, Authorization, Cookie"
    if following:
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


def _check_names() -> None:
    for name, values in request.args.lists():
        if name not in PARAMETERS:
            raise errors.InvalidOption("unknown", option=name[:100], suggestion=difflib.get_close_matches(name, PARAMETERS, 1, 0.0)[0])
        if len(values) > 1 and name != "state":
            raise errors.InvalidOption("repeated", option=name, count=len(values))


def _states() -> tuple[State, ...]:
    """``state=failed``, ``state=queued,running`` or repeated; none: all of them."""
    words = [word for text in request.args.getlist("state") for word in text.split(",") if word]
    for word in words:
        if word not in STATES:
            near = difflib.get_close_matches(word, STATES, 1, 0.0)[0]
            raise errors.InvalidOption(option="state", value=word[:100], accepted=", ".join(STATES), suggestion=near)
    return cast(tuple[State, ...], tuple(words))


def _limit() -> int:
    text = request.args.get("limit", str(DEFAULT_LIMIT))
    if re.fullmatch(r"[0-9]{1,6}", text) and 1 <= int(text) <= MOST:
        return int(text)
    near = MOST if re.fullmatch(r"[0-9]+", text) and text.strip("0") else 1
    raise errors.InvalidOption(option="limit", value=text[:100], accepted=f"1–{MOST}", suggestion=str(near))


def _before() -> Place | None:
    text = request.args.get("cursor", "")
    try:
        return cursor.read(text) if text else None
    except ValueError:
        raise errors.InvalidOption("cursor", option="cursor") from None


def _address(states: tuple[State, ...], limit: int, place: Place) -> str:
    given = [("state", ",".join(states))] if states else []
    return "/api/jobs?" + urlencode([*given, ("limit", limit), ("cursor", cursor.write(place))], safe=",")
