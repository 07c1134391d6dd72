"""``/status``: the gateway at work, for its operator. The page is a file; its figures come over Socket.IO, which asks for a key where keys are set.

One process looks once a second for all of its watchers, and only while there is one. Figures are those of ``/metrics``: over all workers of this
machine and all encoders. Latencies are of the last minute, from the histograms' growth.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Blueprint, Response

from backend import errors
from backend.web.metrics.prometheus import Figures, families
from backend.web.request.context import Site
from backend.web.routes import page

routes = Blueprint("status", __name__)
LOOK_EVERY_S = 1.0
WINDOW_S = 60
LATENCIES = {
    "answer": "gateway_http_request_duration_seconds",
    "wait": "gateway_job_wait_seconds",
    "encode": "gateway_stage_seconds",
    "event": "gateway_event_delay_seconds",
    "loop": "gateway_loop_delay_seconds",
}
LASTING = ("socket.io", "/events", "/ws")
"""Routes that answer when there is news: how long that takes says nothing of the gateway."""
Counts = dict[float, float]
"""Upper bound of a bucket → how many were at most so much."""
Tell = Callable[[dict[str, Any]], None]


@routes.get("/status")
def show() -> Response:
    return page.html("status.html")


class Lookout:
    """Whoever watches is told every second; nobody looks while nobody watches."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._watchers: dict[str, Tell] = {}
        self._past: deque[dict[str, Counts]] = deque(maxlen=WINDOW_S)
        self._is_looking = False

    def watch(self, name: str, tell: Tell) -> dict[str, Any]:
        """The figures now; later ones follow."""
        self._watchers[name] = tell
        if not self._is_looking:
            self._is_looking = True
            threading.Thread(target=self._look, name="status", daemon=True).start()
        return self.snapshot()

    def ignore(self, name: str) -> None:
        self._watchers.pop(name, None)

    def _look(self) -> None:
        pause = threading.Event()
        while self._watchers:
            pause.wait(LOOK_EVERY_S)
            seen = self.snapshot()
            self._past.append(self._counts)
            for tell in list(self._watchers.values()):
                tell(seen)
        self._past.clear()
        self._is_looking = False

    def snapshot(self) -> dict[str, Any]:
        here = self._site
        try:
            overview = here.context.counters.overview()
        except errors.BackendUnavailable:
            overview = None
        figures = Figures(workers=here.workers(), overview=overview, version=here.version)
        samples = [sample for family in families(figures) for sample in family.samples]
        self._counts = {name: _counts(samples, metric) for name, metric in LATENCIES.items()}
        before = self._past[0] if self._past else {}
        latencies = {name: _quantiles(counts, before[name]) if before else None for name, counts in self._counts.items()}
        seen: dict[str, Any] = {"at": here.context.clock(), "version": here.version, "latencies": latencies, "redis": overview is not None}
        seen["clients"] = _by_label(samples, "gateway_sockets", "kind")
        seen["workers"] = sum(1 for _, _, now in figures.workers if now is not None)
        if overview is not None:
            seen["jobs"] = dict(overview.jobs)
            seen["queue"] = {"waiting": overview.queued, "limit": here.context.max_queued_jobs, "oldest_s": round(overview.oldest_queued_s, 1)}
            seen["encoders"] = {"count": len(overview.encoders), "busy": overview.encoders_busy}
            seen["per_minute"] = {name: overview.per_minute(name) for name in ("ended", "pixels", "source_bytes", "result_bytes")}
            seen["totals"] = {name: overview.totals.get(name, 0) for name in ("created", "source_bytes", "saved_bytes")}
        return seen


def _by_label(samples: Sequence[Any], metric: str, label: str) -> dict[str, float]:
    return {sample.labels[label]: sample.value for sample in samples if sample.name == metric}


def _counts(samples: Sequence[Any], metric: str) -> Counts:
    found: Counts = {}
    for sample in samples:
        if sample.name == f"{metric}_bucket" and _is_meant(sample.labels):
            bound = float(sample.labels["le"])
            found[bound] = found.get(bound, 0.0) + sample.value
    return found


def _is_meant(labels: Mapping[str, str]) -> bool:
    is_lasting = any(part in labels.get("route", "") for part in LASTING)
    return not is_lasting and labels.get("stage", "encode") == "encode"


def _quantiles(now: Counts, before: Counts) -> dict[str, float] | None:
    """Median and 95th percentile in seconds of what was added since ``before``; None for nothing."""
    grown = sorted((bound, count - before.get(bound, 0.0)) for bound, count in now.items())
    total = grown[-1][1] if grown else 0.0
    return {"p50": _at(grown, total * 0.5), "p95": _at(grown, total * 0.95)} if total > 0 else None


def _at(grown: Sequence[tuple[float, float]], rank: float) -> float:
    """Linear within its bucket, as Prometheus reckons; the last bound for what is beyond it."""
    low, below = 0.0, 0.0
    for bound, count in grown:
        if count >= rank and bound != float("inf"):
            return round(low + (bound - low) * (rank - below) / max(count - below, 1e-9), 5)
        if bound != float("inf"):
            low, below = bound, count
    return low
