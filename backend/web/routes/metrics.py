"""``/metrics``: Prometheus over all workers of this machine and all encoders of all machines, as its text format or OpenMetrics.

Counts of jobs come from Redis, where the change that commits a job also counts it, once. Counts of requests come from the workers' files. With
API keys ``/metrics`` asks for an operator's (in Prometheus: ``authorization: credentials``), unless it has a port of its own
(``GATEWAY_METRICS_BIND``).
"""

from __future__ import annotations

from flask import Response, request
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder

from backend import errors
from backend.core.overview import Overview
from backend.ports.upkeep import Notes
from backend.web.metrics.prometheus import Figures, families
from backend.web.openapi.resource import Resource
from backend.web.request import auth
from backend.web.request.context import flow_context, web_context
from backend.web.request.peer import peer
from backend.web.routes.health import check_parts

routes = Resource("metrics", __name__)


class CollectOnce:
    """What was collected for one request, in the shape that ``prometheus_client`` wants."""

    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> list[Metric]:
        return self._found


@routes.get("/metrics")
def show() -> Response:
    port = web_context().metrics_port
    if port is None:
        auth.check_figures()
    elif peer().listener_port != port:
        raise errors.NotFound("no_route", path=request.path)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(CollectOnce(list(families(figures()))))
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    response = Response(encode(registry), content_type=content_type)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Accept"
    return response


def figures() -> Figures:
    web = web_context()
    parts, _ = check_parts(web.context)
    return Figures(
        workers=web.worker_counters(),
        overview=_overview(),
        version=web.version,
        parts={part: said == "ok" for part, said in parts.items()},
        queue_limit=web.context.max_queued_jobs,
        store_free_bytes=web.free_bytes(),
        has_stale_keys=web.api_keys.are_stale,
        maintenance=_maintenance(),
    )


def _overview() -> Overview | None:
    try:
        return flow_context().counters.overview()
    except errors.BackendUnavailable:
        return None


def _maintenance() -> Notes | None:
    try:
        return flow_context().upkeep.notes()
    except errors.BackendUnavailable:
        return None
