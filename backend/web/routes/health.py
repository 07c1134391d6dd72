"""``/api/health``: is this process alive, and are Redis, store and encoders within reach."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response

from backend import errors
from backend.core.overview import Overview
from backend.flows.context import Context
from backend.web.request.context import site

routes = Blueprint("health", __name__)
ANSWER_WITHIN_S = 3.0
"""Probes give up after five seconds; an answer that names the part must come before."""


@routes.get("/api/health")
@routes.get("/api/health/ready", endpoint="ready")
def health() -> Response:
    here = site()
    parts, facts = examine(here.context)
    is_well = all(part == "ok" for part in parts.values())
    body = {"status": "ok" if is_well else "unavailable", "version": here.version, "parts": parts, **facts, **here.vitals()}
    if not is_well:
        body["failing"] = [name for name, part in parts.items() if part != "ok"]
    return _answer(body, 200 if is_well else 503)


@routes.get("/api/health/live")
def live() -> Response:
    return _answer({"status": "ok", "version": site().version, **site().vitals()}, 200)


def examine(context: Context) -> tuple[dict[str, str], dict[str, Any]]:
    facts: dict[str, Any] = {}

    def redis() -> None:
        seen = context.counters.overview()
        facts["queue"] = {"queued": seen.queued, "running": seen.running}
        facts["oldest_queued_seconds"] = round(seen.oldest_queued_s, 1)
        facts["encoders"] = {"count": len(seen.encoders), "busy": seen.encoders_busy, "seal": _weakest_seal(seen)}

    def encoders() -> None:
        """Of which nothing is known while Redis is away."""
        if not facts.get("encoders", {}).get("count"):
            raise errors.BackendUnavailable(part="encoders", retry_after_s=2)

    parts = within({"redis": redis, "store": context.store.check}, ANSWER_WITHIN_S)
    return {**parts, "encoders": _try(encoders)}, facts


def within(checks: Mapping[str, Callable[[], None]], seconds: float) -> dict[str, str]:
    """Each check's answer; ``timeout`` for one that does not return, as of a network disk that hangs. It may go on; nobody waits for it."""
    said = dict.fromkeys(checks, "timeout")

    def ask(part: str, check: Callable[[], None]) -> None:
        said[part] = _try(check)

    threads = [threading.Thread(target=ask, args=each, daemon=True) for each in checks.items()]
    for each in threads:
        each.start()
    deadline = time.monotonic() + seconds
    for each in threads:
        each.join(max(0.0, deadline - time.monotonic()))
    return dict(said)


def _weakest_seal(seen: Overview) -> Any:
    return min((each["seal"] for each in seen.encoders if isinstance(each.get("seal"), dict)), key=lambda seal: seal.get("level", 0), default=None)


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
