"""``/api/health``: is this process alive, and are Redis, store and encoders within reach."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response

from backend import errors
from backend.flows.world import World
from backend.web.site import site

routes = Blueprint("health", __name__)


@routes.get("/api/health")
@routes.get("/api/health/ready", endpoint="ready")
def health() -> Response:
    here = site()
    parts, facts = examine(here.world)
    is_well = all(part == "ok" for part in parts.values())
    body = {"status": "ok" if is_well else "unavailable", "version": here.version, "parts": parts, **facts, **here.vitals()}
    if not is_well:
        body["failing"] = [name for name, part in parts.items() if part != "ok"]
    return _answer(body, 200 if is_well else 503)


@routes.get("/api/health/live")
def live() -> Response:
    return _answer({"status": "ok", "version": site().version, **site().vitals()}, 200)


def examine(world: World) -> tuple[dict[str, str], dict[str, Any]]:
    facts: dict[str, Any] = {}

    def redis() -> None:
        facts["queue"] = {"queued": world.jobs.queued(), "running": world.jobs.running()}

    def encoders() -> None:
        there = world.jobs.encoders()
        facts["encoders"] = {"count": len(there), "seal": there[0].get("seal") if there else None}
        if not there:
            raise errors.BackendUnavailable(part="encoders", retry_after_s=2)

    return {"redis": _try(redis), "store": _try(world.store.check), "encoders": _try(encoders)}, facts


def _try(check: Callable[[], None]) -> str:
    try:
        check()
    except errors.GatewayError as error:
        return error.code
    return "ok"


def _answer(body: dict[str, Any], status: int) -> Response:
    response = Response(json.dumps(body, ensure_ascii=False), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    if status == 503:
        response.headers["Retry-After"] = "2"
    return response
