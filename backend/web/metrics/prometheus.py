"""The counted numbers as Prometheus reads them. One table says which counted name is which metric.

A number is named ``prefix:label:label…``; those of a histogram end in ``:le:<bound>`` and ``:sum``. The metrics' names are public: dashboards and
alert rules are written against them. docs/operate/monitoring.md says which one answers which question.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from backend.core import tally
from backend.core.hosts import hosts, level
from backend.core.overview import Overview
from backend.core.protocol import range_of
from backend.ports.upkeep import Notes

Worker = tuple[str, Mapping[str, float], Mapping[str, float] | None]
"""A worker's slot, what was counted in it so far, and what its living worker says of itself; None where no worker lives."""


class Row(NamedTuple):
    """``labels`` are in the order in which the counted name has them. ``scale`` turns the counted unit into the metric's."""

    prefix: str
    metric: str
    kind: str
    labels: tuple[str, ...]
    help: str
    scale: float = 1.0


JOBS: tuple[Row, ...] = (
    Row("created", "gateway_jobs_created", "counter", (), "Jobs that were accepted"),
    Row("ended", "gateway_jobs_ended", "counter", ("state", "code"), "Jobs that ended, by state (erased: deleted before) and the failure's code"),
    Row("upload_bytes", "gateway_upload_bytes", "counter", (), "Bytes of the accepted images"),
    Row("source_bytes", "gateway_source_bytes", "counter", (), "Bytes of the images that were converted"),
    Row("result_bytes", "gateway_result_bytes", "counter", (), "Bytes of the results"),
    Row("saved_bytes", "gateway_saved_bytes", "counter", (), "Bytes by which results are smaller; those that grew count as zero"),
    Row("pixels", "gateway_megapixels", "counter", (), "Millions of pixels that were converted", 1e-6),
    Row("shared", "gateway_jobs_shared", "counter", (), "Jobs that got an equal one's result, without an encode of their own"),
    Row("dropped", "gateway_metadata_dropped", "counter", ("note",), "Results that lack a note of their source: a gain map, Content Credentials …"),
    Row("wait", "gateway_job_wait_seconds", "histogram", (), "From a job's creation to its last start"),
    Row("stage", "gateway_stage_seconds", "histogram", ("stage",), "What each stage of a conversion took"),
    Row("encoders_lost", "gateway_encoders_lost", "counter", (), "Jobs that were queued again because their encoder was lost"),
    Row("encoder_starts", "gateway_encoder_starts", "counter", ("reason",), "Encoder processes that began, by reason (start, restart, scale)"),
    Row("encoder_cpu_s", "gateway_encoder_cpu_seconds", "counter", ("host",), "Processor time of the encoders with their codecs, by machine"),
    Row("webhooks", "gateway_webhooks_ended", "counter", ("state",), "Webhooks that ended: delivered, gone (410) or exhausted"),
    Row("webhook_tries", "gateway_webhook_tries", "counter", ("answer",), "Tries of webhooks, by the answer's class or why there was none"),
    Row("freed_bytes", "gateway_retention_freed_bytes", "counter", (), "Bytes that were erased after their retention"),
)
WORKERS: tuple[Row, ...] = (
    Row("http_requests", "gateway_http_requests", "counter", ("method", "route", "status"), "Requests that were answered"),
    Row("problems", "gateway_problems", "counter", ("code",), "Requests that were answered with an error, by its code"),
    Row("http_seconds", "gateway_http_request_duration_seconds", "histogram", ("method", "route"), "From a request's head to its answer's beginning"),
    Row("http_received_bytes", "gateway_http_received_bytes", "counter", ("route",), "Bytes of request bodies, as they came"),
    Row("http_sent_bytes", "gateway_http_sent_bytes", "counter", ("route",), "Bytes of response bodies"),
    Row("loop_delay", "gateway_loop_delay_seconds", "histogram", (), "How late the workers' loops woke a greenlet that asked for it"),
    Row("overstays", "gateway_loop_overstays", "counter", ("end",), "Greenlets that kept a loop for 0.5 s, by their end (ended, let_go)"),
    Row("event_delay", "gateway_event_delay_seconds", "histogram", (), "From a change's record in Redis to its being handed to the watchers"),
)
EACH_WORKER: tuple[Row, ...] = (Row("cpu_s", "gateway_worker_cpu_seconds", "counter", ("worker",), "Processor time of the workers, by slot"),)
PRESENT: tuple[Row, ...] = (
    Row("sockets", "gateway_sockets", "gauge", ("kind",), "Open connections by kind (polling: Socket.IO sessions that have no WebSocket)"),
)
PRESENT_EACH: tuple[Row, ...] = (
    Row("resident_bytes", "gateway_worker_resident_bytes", "gauge", ("worker",), "Memory of the living workers, by slot"),
    Row("started_at", "gateway_worker_start_time_seconds", "gauge", ("worker",), "When the living workers began, by slot"),
)
GAUGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "gateway_info": ("The version that answers", ("version",)),
    "gateway_up": ("Whether a part is within reach, as in /api/health", ("part",)),
    "gateway_jobs": ("Jobs by state; ended ones for as long as their record is kept", ("state",)),
    "gateway_queue_depth": ("Jobs that wait", ()),
    "gateway_queue_limit": ("GATEWAY_MAX_QUEUED_JOBS", ()),
    "gateway_queue_oldest_seconds": ("How long ago the oldest waiting job was made", ()),
    "gateway_webhooks_pending": ("Webhooks that wait for their next try or are being sent", ()),
    "gateway_encoders": ("Encoder processes that are there, by machine and level of their seal (3: full)", ("host", "seal")),
    "gateway_encoders_busy": ("Encoder processes that convert now", ()),
    "gateway_encoder_resident_bytes": ("Memory of the encoder processes with their codecs, by machine", ("host",)),
    "gateway_host_processes": ("Processes that are there, by machine, role, release and newest protocol", ("host", "role", "version", "protocol")),
    "gateway_host_cores": ("Cores that the encoders of a machine may use", ("host",)),
    "gateway_host_jobs": ("Jobs that the encoders of a machine convert now", ("host",)),
    "gateway_seal_level": ("The lowest seal of any encoder (3: full, 0: none)", ()),
    "gateway_store_free_bytes": ("Free space of the store", ()),
    "gateway_api_keys_stale": ("Whether a changed GATEWAY_API_KEYS_FILE cannot be used, so that earlier keys count", ()),
    "gateway_maintenance_age_seconds": ("How long ago a round of maintenance succeeded, by kind (jobs, store)", ("round",)),
    "gateway_scan_jobs": ("Jobs that the scan of the store has seen that is under way; 0 while there is none", ()),
    "gateway_workers": ("Gateway workers of this machine", ()),
}
WORKER_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
LOOP_BOUNDS_S = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
"""As in ``server/metrics/http_middleware.py`` and ``loop_lag.py``, which this room may not import; a test compares them."""
BOUNDS_S = {
    "http_seconds": WORKER_BOUNDS_S,
    "event_delay": WORKER_BOUNDS_S,
    "loop_delay": LOOP_BOUNDS_S,
    "wait": tally.BOUNDS_S,
    "stage": tally.BOUNDS_S,
}
"""All of a histogram's buckets are shown from the start, or histograms of several gateways could not be added up."""
ROWS = (*JOBS, *WORKERS, *EACH_WORKER, *PRESENT, *PRESENT_EACH)


@dataclass(slots=True)
class Figures:
    """All that the metrics are made of. ``overview`` and ``maintenance`` are None while Redis cannot be reached."""

    workers: Sequence[Worker]
    overview: Overview | None
    version: str = ""
    parts: Mapping[str, bool] = field(default_factory=dict)
    queue_limit: int = 0
    store_free_bytes: int | None = None
    has_stale_keys: bool = False
    maintenance: Notes | None = None


def families(figures: Figures) -> Iterator[Metric]:
    counted = _sums(sums for _, sums, _ in figures.workers)
    present = _sums(now for _, _, now in figures.workers if now is not None)
    yield from (_family(row, counted) for row in WORKERS)
    yield from (_family(row, present) for row in PRESENT)
    yield from (_family(row, {f"{row.prefix}:{slot}": sums.get(row.prefix, 0.0) for slot, sums, _ in figures.workers}) for row in EACH_WORKER)
    living = [(slot, now) for slot, _, now in figures.workers if now is not None]
    yield from (_family(row, {f"{row.prefix}:{slot}": now.get(row.prefix, 0.0) for slot, now in living}) for row in PRESENT_EACH)
    yield _gauge("gateway_info", {(figures.version,): 1})
    yield _gauge("gateway_up", {(part,): is_well for part, is_well in figures.parts.items()})
    yield _gauge("gateway_workers", {(): len(living)})
    if figures.store_free_bytes is not None:
        yield _gauge("gateway_store_free_bytes", {(): figures.store_free_bytes})
    yield _gauge("gateway_api_keys_stale", {(): figures.has_stale_keys})
    yield _gauge("gateway_queue_limit", {(): figures.queue_limit})
    if figures.overview is not None:
        yield from (_family(row, figures.overview.totals) for row in JOBS)
        yield from _of_overview(figures.overview)
    if figures.maintenance is not None:
        yield _gauge("gateway_maintenance_age_seconds", {(kind,): round(age_s, 1) for kind, (age_s, _) in figures.maintenance.rounds.items()})
        yield _gauge("gateway_scan_jobs", {(): figures.maintenance.scan.jobs if figures.maintenance.scan else 0})


def _of_overview(seen: Overview) -> Iterator[Metric]:
    yield _gauge("gateway_jobs", {(state,): count for state, count in seen.jobs.items()})
    yield _gauge("gateway_queue_depth", {(): seen.queued})
    yield _gauge("gateway_queue_oldest_seconds", {(): round(seen.oldest_queued_s, 3)})
    yield _gauge("gateway_webhooks_pending", {(): seen.webhooks_pending})
    yield _gauge("gateway_encoders_busy", {(): seen.encoders_busy})
    yield from _of_hosts(seen)
    sealed: dict[tuple[str, ...], float] = defaultdict(float)
    memory: dict[tuple[str, ...], float] = defaultdict(float)
    for each in seen.encoders:
        sealed[str(each.get("host", "")), str(level(each))] += 1
        memory[(str(each.get("host", "")),)] += float(each.get("resident_bytes", 0))
    yield _gauge("gateway_encoders", sealed)
    yield _gauge("gateway_encoder_resident_bytes", memory)
    if seen.encoders:
        yield _gauge("gateway_seal_level", {(): min(map(level, seen.encoders))})


def _of_hosts(seen: Overview) -> Iterator[Metric]:
    processes: dict[tuple[str, ...], float] = defaultdict(float)
    for role, facts in (("encoder", seen.encoders), ("gateway", seen.gateways)):
        for each in facts:
            processes[str(each.get("host", "")), role, str(each.get("version", "")), str(range_of(each).newest)] += 1
    yield _gauge("gateway_host_processes", processes)
    known = hosts(seen.encoders, ())
    yield _gauge("gateway_host_cores", {(each["host"],): each["cores"] for each in known if each["cores"] is not None})
    yield _gauge("gateway_host_jobs", {(each["host"],): each["jobs"] for each in known})


def _gauge(name: str, values: Mapping[tuple[str, ...], float]) -> GaugeMetricFamily:
    text, labels = GAUGES[name]
    family = GaugeMetricFamily(name, text, labels=labels)
    for parts, value in values.items():
        family.add_metric(parts, float(value))
    return family


def _sums(tables: Iterator[Mapping[str, float]]) -> dict[str, float]:
    sums: dict[str, float] = defaultdict(float)
    for table in tables:
        for name, value in table.items():
            sums[name] += value
    return sums


def _family(row: Row, amounts: Mapping[str, float]) -> Metric:
    found = {name[len(row.prefix) :].lstrip(":"): value for name, value in sorted(amounts.items()) if name.split(":", 1)[0] == row.prefix}
    if row.kind == "histogram":
        return _histogram(row, found)
    kind = CounterMetricFamily if row.kind == "counter" else GaugeMetricFamily
    family = kind(row.metric, row.help, labels=row.labels)
    for rest, value in found.items():
        family.add_metric(_labels(row, rest), value * row.scale)
    if not row.labels and not found:
        family.add_metric((), 0.0)
    return family


def _histogram(row: Row, found: Mapping[str, float]) -> HistogramMetricFamily:
    buckets: dict[str, dict[float, float]] = defaultdict(dict)
    sums: dict[str, float] = defaultdict(float)
    for name, value in found.items():
        parts = name.split(":")
        if parts[-1] == "sum":
            sums[":".join(parts[:-1])] += value
        else:
            buckets[":".join(parts[:-2])][float(parts[-1])] = value
    family = HistogramMetricFamily(row.metric, row.help, labels=row.labels)
    for rest, counts in buckets.items():
        family.add_metric(_labels(row, rest), _cumulative(counts, BOUNDS_S[row.prefix]), sums[rest])
    return family


def _cumulative(counts: Mapping[float, float], bounds: Sequence[float]) -> list[tuple[str, float]]:
    total, steps = 0.0, []
    for bound in sorted({*counts, *bounds, inf}):
        total += counts.get(bound, 0.0)
        steps.append(("+Inf" if bound == inf else str(bound), total))
    return steps


def _labels(row: Row, rest: str) -> tuple[str, ...]:
    return tuple(rest.split(":", len(row.labels) - 1)) if row.labels else ()
