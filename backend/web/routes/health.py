"""``/api/health``: does this process answer, and are Redis, store and encoders within reach?

Where keys are set, figures of everybody's work (queue, encoders, this process) are told to an operator's key and at the metrics port only.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from flask import Response

from backend import errors
from backend.core.hosts import hosts
from backend.core.overview import Overview
from backend.flows.context import Context
from backend.flows.note_rounds import maintenance_figures
from backend.web.openapi.answers import JSON
from backend.web.openapi.resource import Answer, Operation, Resource
from backend.web.openapi.schemas import ref
from backend.web.request import auth
from backend.web.request.context import flow_context, web_context
from backend.web.response.json_response import json_response

routes = Resource("health", __name__, tag="gateway")
ANSWER_WITHIN_S = 3.0
"""Probes give up after five seconds. An answer that names the failing part must come before."""
HEALTH = {JSON: ref("Health")}


@routes.serve(
    Operation(
        "GET",
        "/api/health/ready",
        "ready",
        {200: Answer(HEALTH), 503: Answer(HEALTH, ("Retry-After",))},
        is_guarded=False,
    )
)
@routes.serve(
    Operation(
        "GET",
        "/api/health",
        "health",
        {
            200: Answer(HEALTH),
            503: Answer(HEALTH, ("Retry-After",)),
        },
        is_guarded=False,
        curl="curl {base}/api/health",
    )
)
def health() -> Response:
    web = web_context()
    parts, facts = check_parts(flow_context())
    is_well = all(part == "ok" for part in parts.values())
    figures = {**facts, **(web.redis_looks.codes() if web.redis_looks else {}), **web.process_health()} if auth.may_read_figures() else {}
    body = {"status": "ok" if is_well else "unavailable", "version": web.version, "parts": parts, **figures}
    if is_well:
        return json_response(body, cache="no-store")
    body["failing"] = [name for name, part in parts.items() if part != "ok"]
    response = json_response(body, 503, cache="no-store")
    response.headers["Retry-After"] = "2"
    return response


@routes.serve(
    Operation(
        "GET",
        "/api/health/live",
        "live",
        {200: Answer({JSON: ref("Live")})},
        is_guarded=False,
    )
)
def live() -> Response:
    web = web_context()
    figures = web.process_health() if auth.may_read_figures() else {}
    return json_response({"status": "ok", "version": web.version, **figures}, cache="no-store")


def check_parts(context: Context) -> tuple[dict[str, str], dict[str, Any]]:
    """By part ``ok``, an error's code or ``timeout``; and what was seen of queue and encoders."""
    facts: dict[str, Any] = {}

    def redis() -> None:
        seen = context.counters.overview()
        facts["queue"] = {"queued": seen.queued, "running": seen.running}
        facts["oldest_queued_seconds"] = round(seen.oldest_queued_s, 1)
        facts["hosts"] = hosts(seen.encoders, seen.gateways)
        facts["maintenance"] = maintenance_figures(context.upkeep.notes())
        facts["encoders"] = {"count": len(seen.encoders), "busy": seen.encoders_busy, "seal": _weakest_seal(seen)}

    def encoders() -> None:
        """Nothing is known of them while Redis is away."""
        if not facts.get("encoders", {}).get("count"):
            raise errors.BackendUnavailable(part="encoders", retry_after_s=2)

    parts = run_checks({"redis": redis, "store": context.store.check}, ANSWER_WITHIN_S)
    return {**parts, "encoders": _run(encoders)}, facts


def run_checks(checks: Mapping[str, Callable[[], None]], timeout_s: float) -> dict[str, str]:
    """At the same time. ``timeout`` for one that has not returned by then, as on a network disk that hangs; its thread is left behind."""
    said = dict.fromkeys(checks, "timeout")

    def run(part: str, check: Callable[[], None]) -> None:
        said[part] = _run(check)

    threads = [threading.Thread(target=run, args=each, daemon=True) for each in checks.items()]
    for each in threads:
        each.start()
    deadline = time.monotonic() + timeout_s
    for each in threads:
        each.join(max(0.0, deadline - time.monotonic()))
    return dict(said)


def _run(check: Callable[[], None]) -> str:
    try:
        check()
    except errors.GatewayError as error:
        return error.code
    return "ok"


def _weakest_seal(seen: Overview) -> Any:
    return min((each["seal"] for each in seen.encoders if isinstance(each.get("seal"), dict)), key=lambda seal: seal.get("level", 0), default=None)
