"""``/metrics`` as text: every figure in its place, for Prometheus and OpenMetrics alike."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from backend.core import tally
from backend.core.overview import Overview
from backend.ports.peer import KEY
from backend.web.metrics.prometheus import GAUGES, ROWS, Figures, families
from backend.web.routes.metrics import CollectOnce
from tests.conftest import missing
from tests.fakes.peer import MemoryPeer
from tests.unit.web.conftest import Web

REQUESTS = "http_requests:GET:/api/jobs/{job_id}:200"
WORKERS = [
    ("0", {REQUESTS: 3, "http_seconds:GET:/:le:0.005": 2, "http_seconds:GET:/:sum": 0.008, "cpu_s": 1.5}, {"sockets:sse": 1}),
    ("1", {REQUESTS: 4, "http_seconds:GET:/:le:inf": 1, "http_seconds:GET:/:sum": 70, "cpu_s": 2}, None),
    ("2", {}, {"sockets:sse": 2, "resident_bytes": 50_000_000}),
]
TOTALS = {
    "created": 9,
    "ended:succeeded:": 5,
    "ended:failed:damaged_image": 2,
    "pixels": 24_000_000,
    "stage:encode:le:0.25": 1,
    "stage:encode:le:1.0": 4,
    "stage:encode:sum": 3.5,
}


def overview() -> Overview:
    encoders = ({"host": "a", "seal": {"level": 3}, "resident_bytes": 10}, {"host": "a", "seal": {"level": 2}, "resident_bytes": 5})
    jobs = {"queued": 2, "running": 1, "succeeded": 5, "failed": 2, "cancelled": 0}
    return Overview(jobs=jobs, oldest_queued_s=12.5, encoders=encoders, totals=TOTALS)


def samples(figures: Figures) -> dict[str, float]:
    found = {}
    for family in families(figures):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def whole() -> Figures:
    return Figures(WORKERS, overview(), "1.2.3", {"redis": True, "store": False}, 1000, 5)


def test_what_workers_counted_is_summed_the_dead_among_them() -> None:
    seen = samples(whole())
    assert seen["gateway_http_requests_total{method=GET,route=/api/jobs/{job_id},status=200}"] == 7
    assert seen["gateway_http_request_duration_seconds_count{method=GET,route=/}"] == 3
    assert seen["gateway_http_request_duration_seconds_bucket{le=0.005,method=GET,route=/}"] == 2
    assert seen["gateway_http_request_duration_seconds_sum{method=GET,route=/}"] == pytest.approx(70.008)
    assert seen["gateway_worker_cpu_seconds_total{worker=1}"] == 2


def test_what_is_so_at_present_is_said_by_the_living_alone() -> None:
    seen = samples(whole())
    assert seen["gateway_sockets{kind=sse}"] == 3
    assert seen["gateway_workers"] == 2
    assert "gateway_worker_resident_bytes{worker=1}" not in seen


def test_the_overview_is_shown() -> None:
    seen = samples(whole())
    expected: Mapping[str, float] = {
        "gateway_jobs_created_total": 9,
        "gateway_jobs_ended_total{code=damaged_image,state=failed}": 2,
        "gateway_jobs_ended_total{code=,state=succeeded}": 5,
        "gateway_megapixels_total": 24,
        "gateway_stage_seconds_bucket{le=0.25,stage=encode}": 1,
        "gateway_stage_seconds_bucket{le=1.0,stage=encode}": 5,
        "gateway_stage_seconds_bucket{le=+Inf,stage=encode}": 5,
        "gateway_queue_oldest_seconds": 12.5,
        "gateway_queue_depth": 2,
        "gateway_encoders_busy": 1,
        "gateway_encoders{host=a,seal=2}": 1,
        "gateway_encoder_resident_bytes{host=a}": 15,
        "gateway_seal_level": 2,
        "gateway_up{part=store}": 0,
        "gateway_up{part=redis}": 1,
        "gateway_store_free_bytes": 5,
        "gateway_info{version=1.2.3}": 1,
    }
    assert {name: seen[name] for name in expected} == expected


def test_without_redis_the_workers_counts_are_shown_all_the_same() -> None:
    seen = samples(Figures(WORKERS, None, "1.2.3", {"redis": False}))
    assert seen["gateway_up{part=redis}"] == 0
    assert seen["gateway_http_requests_total{method=GET,route=/api/jobs/{job_id},status=200}"] == 7
    assert not any(name.startswith("gateway_jobs") for name in seen), "nothing is said of what is not known"


def test_every_name_has_the_form_that_prometheus_asks_for() -> None:
    names = [row.metric for row in ROWS] + list(GAUGES)
    assert len(set(names)) == len(names)
    for name in names:
        assert re.fullmatch(r"gateway_[a-z0-9]+(_[a-z0-9]+)*", name)
        assert not name.endswith(("_total", "_count", "_sum", "_bucket"))


def test_every_amount_that_a_job_may_bring_has_its_metric() -> None:
    fixed = {value for name, value in vars(tally).items() if name.isupper() and isinstance(value, str)}
    assert fixed - {tally.ERASED} == {row.prefix for row in ROWS if row.metric.startswith("gateway_")} & fixed - {tally.ERASED}


def test_promtool_accepts_all_of_it() -> None:
    promtool = shutil.which("promtool") or missing("promtool is not installed (Debian: prometheus)")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(CollectOnce(list(families(whole()))))
    checked = subprocess.run([promtool, "check", "metrics"], input=generate_latest(registry), capture_output=True, timeout=30, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_the_route_speaks_both_formats(web: Web) -> None:
    text = web.get("/metrics")
    assert text.status_code == 200 and text.content_type.startswith("text/plain; version=0.0.4")
    assert {family.name for family in parse_text(text.text)} >= {"gateway_jobs_created", "gateway_up", "gateway_queue_depth"}
    opened = web.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0, text/plain;q=0.5"})
    assert opened.content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert {family.name for family in parse_openmetrics(opened.text)} >= {"gateway_jobs_created", "gateway_up", "gateway_queue_depth"}
    assert opened.headers["Cache-Control"] == "no-store" and opened.headers["Vary"] == "Accept"


def test_with_keys_it_asks_for_one() -> None:
    web = Web(keys=("a-secret-key",))
    assert web.get("/metrics").status_code == 401
    assert web.get("/metrics", headers={"Authorization": "Bearer a-secret-key"}).status_code == 200


def test_with_an_address_of_its_own_it_is_answered_there_alone_and_without_a_key() -> None:
    web = Web(keys=("a-secret-key",), web_rules={"metrics_port": 9102})
    public, private = ({KEY: MemoryPeer(listener_port=port)} for port in (5000, 9102))
    assert web.get("/metrics", environ_base=public, headers={"Authorization": "Bearer a-secret-key"}).status_code == 404
    assert web.get("/metrics", environ_base=private).status_code == 200
