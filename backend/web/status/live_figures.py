"""The operator's page's figures of one moment. They are those of ``/metrics``: over all workers of this machine and all encoders.

Latencies are those of the last minute, computed from what the histograms grew by between two looks.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from backend import errors
from backend.core.hosts import hosts
from backend.core.overview import Overview
from backend.core.tally import ENDED
from backend.ports.history import ServerFacts
from backend.web.metrics.prometheus import Figures, Worker, families
from backend.web.request.context import WebContext

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
TOTALS = ("created", "source_bytes", "result_bytes", "saved_bytes")
ENDS = ("succeeded", "failed", "cancelled")
Counts = dict[float, float]
"""Upper bound of a bucket → how many were at most that."""


class LiveFigures:
    """``every_s`` is how often ``snapshot`` is called."""

    def __init__(self, web: WebContext, every_s: float) -> None:
        self._web = web
        self._past: deque[dict[str, Counts]] = deque(maxlen=max(1, math.ceil(WINDOW_S / every_s)))

    def forget(self) -> None:
        """After a pause, what was seen before it says nothing of the last minute."""
        self._past.clear()

    def snapshot(self) -> dict[str, Any]:
        here = self._web
        overview, server = self._read_redis()
        workers = here.worker_counters()
        samples = [sample for family in families(Figures(workers, overview, here.version)) for sample in family.samples]
        seen: dict[str, Any] = {"at": here.context.clock(), "version": here.version, "redis": overview is not None}
        seen["latencies"] = self._latencies(samples)
        seen["clients"] = _by_label(samples, "gateway_sockets", "kind")
        seen["refused"] = _by_label(samples, "gateway_problems_total", "code")
        seen["workers"] = sum(1 for _, _, now in workers if now is not None)
        seen["disk"] = here.disk()
        seen["memory"] = {"workers": _resident_bytes(workers)}
        seen["redis_warnings"] = here.redis_looks.sentences() if here.redis_looks else []
        seen["versions"] = {"gateway": here.version, **here.versions}
        if overview is not None:
            seen |= _of_overview(overview, here.context.max_queued_jobs)
            seen["memory"] |= {"encoders": _memory_of(overview), "redis": server.used_bytes, "redis_limit": server.limit_bytes}
            seen["versions"] |= {"redis": server.version, **_codec_versions(overview)}
        return seen

    def _read_redis(self) -> tuple[Overview | None, ServerFacts]:
        context = self._web.context
        try:
            return context.counters.overview(), context.history.server()
        except errors.BackendUnavailable:
            return None, ServerFacts()

    def _latencies(self, samples: Sequence[Any]) -> dict[str, dict[str, float] | None]:
        counts = {name: _counts(samples, metric) for name, metric in LATENCIES.items()}
        before = self._past[0] if self._past else {}
        self._past.append(counts)
        return {name: quantiles(each, before[name]) if before else None for name, each in counts.items()}


def _of_overview(overview: Overview, limit: int) -> dict[str, Any]:
    failed = f"{ENDED}:failed:"
    return {
        "jobs": dict(overview.jobs),
        "queue": {"waiting": overview.queued, "limit": limit, "oldest_s": round(overview.oldest_queued_s, 1)},
        "encoders": {"count": len(overview.encoders), "busy": overview.encoders_busy},
        "seal": _weakest_seal(overview),
        "hosts": hosts(overview.encoders, overview.gateways),
        "per_minute": {name: overview.per_minute(name) for name in ("ended", "pixels", "source_bytes", "result_bytes")},
        "failed": {name.removeprefix(failed): count for name, count in overview.totals.items() if name.startswith(failed)},
        "totals": {name: overview.totals.get(name, 0) for name in TOTALS} | {end: _ended(overview, end) for end in ENDS},
    }


def _ended(overview: Overview, state: str) -> float:
    return sum(count for name, count in overview.totals.items() if name.startswith(f"{ENDED}:{state}:"))


def _weakest_seal(overview: Overview) -> Any:
    seals = [each["seal"] for each in overview.encoders if isinstance(each.get("seal"), dict)]
    return min(seals, key=lambda seal: seal.get("level", 0), default=None)


def _codec_versions(overview: Overview) -> dict[str, str]:
    """Those of the first encoder that tells them: all of one version of the gateway have the same."""
    return next((each["versions"] for each in overview.encoders if isinstance(each.get("versions"), dict)), {})


def _memory_of(overview: Overview) -> int:
    return sum(int(each.get("resident_bytes", 0)) for each in overview.encoders)


def _resident_bytes(workers: Sequence[Worker]) -> int:
    return int(sum(now.get("resident_bytes", 0) for _, _, now in workers if now is not None))


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


def quantiles(now: Counts, before: Counts) -> dict[str, float] | None:
    """Median and 95th percentile in seconds of what was added since ``before``; None for nothing. Counts that fell began anew."""
    if any(count < before.get(bound, 0.0) for bound, count in now.items()):
        before = {}
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
