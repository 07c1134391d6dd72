"""``/metrics``: Prometheus over all workers of this machine and all encoders of all machines, in its text format or OpenMetrics.

Counts of jobs come from Redis, where each was counted once by whoever committed the change; counts of requests from the workers' files.
With API keys it asks for one (Prometheus: ``authorization: credentials``), unless it has an address of its own (``GATEWAY_METRICS_BIND``).
"""

from __future__ import annotations

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder

from backend import errors
from backend.core.overview import Overview
from backend.web.metrics.prometheus import Figures, families
from backend.web.request import auth
from backend.web.request.context import site
from backend.web.routes.health import examine

routes = Blueprint("metrics", __name__)
LISTENER = "gateway.listener"


class Once:
    """What was collected for this request."""

    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> list[Metric]:
        return self._found


@routes.get("/metrics")
def show() -> Response:
    if site().metrics_port is None:
        auth.owner()
    elif not is_operators():
        raise errors.NotFound()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Once(list(families(figures()))))
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    response = Response(encode(registry), content_type=content_type)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Accept"
    return response


def is_operators() -> bool:
    """Whether the request came in at the operator's own address."""
    listener = request.environ.get(LISTENER)
    return isinstance(listener, tuple) and listener[1] == site().metrics_port


def figures() -> Figures:
    here = site()
    parts, _ = examine(here.context)
    return Figures(
        workers=here.workers(),
        overview=_overview(),
        version=here.version,
        parts={part: said == "ok" for part, said in parts.items()},
        queue_limit=here.context.max_queued_jobs,
        store_free_bytes=here.free_bytes(),
    )


def _overview() -> Overview | None:
    try:
        return site().context.counters.overview()
    except errors.BackendUnavailable:
        return None
