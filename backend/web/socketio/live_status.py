"""The figures of the operator's page, sent to its readers once a second.

They are those of ``/metrics``: over all workers of this machine and all encoders. Latencies are those of the last minute, computed from what the
histograms grew by. A process collects them once for all of its readers, and only while it has one.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from backend import errors
from backend.web.metrics.prometheus import Figures, families
from backend.web.request.context import WebContext

EVERY_S = 1.0
WINDOW_S = 60
LATENCIES = {
    "answer": "gateway_http_request_duration_seconds",
    "wait": "gateway_job_wait_seconds",
    "encode": "gateway_stage_seconds",
    "event": "gateway_event_delay_seconds",
    "loop": "gateway_loop_delay_seconds",
}
LONG_LIVED = ("socket.io", "/events", "/ws")
"""Routes that answer when there is news. How long that takes says nothing of the gateway."""
Counts = dict[float, float]
"""Upper bound of a bucket → how many were at most that."""
Send = Callable[[dict[str, Any]], None]


class LiveStatus:
    """One a process."""

    def __init__(self, web: WebContext) -> None:
        self._web = web
        self._readers: dict[str, Send] = {}
        self._past: deque[dict[str, Counts]] = deque(maxlen=WINDOW_S)
        self._is_running = False

    def subscribe(self, name: str, send: Send) -> dict[str, Any]:
        """The figures now. Later ones go to ``send``."""
        self._readers[name] = send
        if not self._is_running:
            self._is_running = True
            threading.Thread(target=self._run, name="status", daemon=True).start()
        return self.snapshot()

    def unsubscribe(self, name: str) -> None:
        self._readers.pop(name, None)

    def _run(self) -> None:
        pause = threading.Event()
        while self._readers:
            pause.wait(EVERY_S)
            seen = self.snapshot()
            self._past.append(self._counts)
            for send in list(self._readers.values()):
                send(seen)
        self._past.clear()
        self._is_running = False

    def snapshot(self) -> dict[str, Any]:
        here = self._web
        try:
            overview = here.context.counters.overview()
        except errors.BackendUnavailable:
            overview = None
        figures = Figures(workers=here.worker_counters(), overview=overview, version=here.version)
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
        if sample.name == f"{metric}_bucket" and _is_counted(sample.labels):
            bound = float(sample.labels["le"])
            found[bound] = found.get(bound, 0.0) + sample.value
    return found


def _is_counted(labels: Mapping[str, str]) -> bool:
    is_long_lived = any(part in labels.get("route", "") for part in LONG_LIVED)
    return not is_long_lived and labels.get("stage", "encode") == "encode"


def _quantiles(now: Counts, before: Counts) -> dict[str, float] | None:
    """Median and 95th percentile in seconds of what was added since ``before``; None for nothing."""
    grown = sorted((bound, count - before.get(bound, 0.0)) for bound, count in now.items())
    total = grown[-1][1] if grown else 0.0
    return {"p50": _at(grown, total * 0.5), "p95": _at(grown, total * 0.95)} if total > 0 else None


def _at(grown: Sequence[tuple[float, float]], rank: float) -> float:
    """Linear within its bucket, as Prometheus computes it. The last bound for what lies beyond it."""
    low, below = 0.0, 0.0
    for bound, count in grown:
        if count >= rank and bound != float("inf"):
            return round(low + (bound - low) * (rank - below) / max(count - below, 1e-9), 5)
        if bound != float("inf"):
            low, below = bound, count
    return low
