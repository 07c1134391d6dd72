"""Prometheus' own tool on configuration, rules and metrics; each metric that is drawn or watched exists."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from backend.core import tally
from backend.server.metrics import http_middleware, loop_lag
from backend.web.metrics import prometheus
from tests.support.images import photograph
from tests.support.running import ROOT, Gateway

Tool = Callable[[str], str]
RULES = ROOT / "deploy/prometheus/rules.yml"
DASHBOARD = json.loads((ROOT / "deploy/grafana/dashboard.json").read_text("utf-8"))
ALERTS = [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"] if "alert" in rule]
CASES = yaml.safe_load((ROOT / "tests/system/deploy/alerts.yml").read_text("utf-8"))["tests"]


def expressions() -> list[str]:
    rules = [rule["expr"] for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]
    drawn = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
    return [*rules, *drawn]


def names(expression: str) -> set[str]:
    """The gateway's metrics in it: recorded ones (``gateway:…``) are not among them."""
    return set(re.findall(r"\bgateway_\w+", re.sub(r'"[^"]*"', '""', expression)))


def run(program: str, *words: str, given: str | None = None) -> str:
    told = subprocess.run([program, *words], input=given, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout + told.stderr


def test_prometheus_accepts_configuration_and_rules(tool: Tool) -> None:
    run(tool("promtool"), "check", "config", "deploy/prometheus/prometheus.yml")
    run(tool("promtool"), "check", "rules", str(RULES))


def test_every_alert_fires_when_it_should_and_not_else(tool: Tool) -> None:
    run(tool("promtool"), "test", "rules", "tests/system/deploy/alerts.yml")


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_has_both_cases_and_a_page_to_read(alert: dict[str, Any]) -> None:
    name = alert["alert"]
    silent = [each["alertname"] for each in CASES[0]["alert_rule_test"] if not each.get("exp_alerts")]
    fired = [json.dumps(case.get("promql_expr_test", [])) for case in CASES[1:]]
    assert name in silent and any(name in case for case in fired)
    assert set(alert["annotations"]) == {"summary", "summary_zh", "runbook"} and alert["labels"]["severity"] in ("critical", "warning")
    file, _, anchor = alert["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^#+ (.*)$", (ROOT / file).read_text("utf-8"), re.MULTILINE)
    assert anchor in [re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings]


def test_every_bucket_is_shown_from_the_first() -> None:
    assert prometheus.BOUNDS_S["http_seconds"] == prometheus.BOUNDS_S["event_delay"] == http_middleware.BOUNDS_S
    assert prometheus.BOUNDS_S["wait"] == prometheus.BOUNDS_S["stage"] == tally.BOUNDS_S
    assert prometheus.BOUNDS_S["loop_delay"] == tuple(each / 1000 for each in loop_lag.BUCKETS_MS if each != inf)
    assert set(prometheus.BOUNDS_S) == {row.prefix for row in prometheus.ROWS if row.kind == "histogram"}


@pytest.mark.e2e
def test_every_metric_that_is_drawn_or_watched_is_there_and_prometheus_likes_them(gateway: Gateway, tool: Tool) -> None:
    gateway.ended(gateway.upload(photograph(300, 200))["id"])
    text = requests.get(f"{gateway.url}/metrics", timeout=30).text
    run(tool("promtool"), "check", "metrics", given=text)
    shown = {found[1]: found[2] for found in re.finditer(r"^# TYPE (\S+) (\S+)", text, re.MULTILINE)}
    histograms = {f"{name}_{part}" for name, kind in shown.items() if kind == "histogram" for part in ("bucket", "sum", "count")}
    wanted = set().union(*(names(each) for each in expressions()))
    assert len(wanted) > 20
    assert wanted - histograms - set(shown) == set()


def test_the_dashboard_is_one_that_grafana_can_lay_out() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
        for target in panel.get("targets", []):
            assert target["datasource"]["uid"] == "${datasource}" and target["expr"]
    provided = yaml.safe_load((ROOT / "deploy/grafana/provisioning/dashboards/gateway.yml").read_text())["providers"][0]["options"]["path"]
    assert f"{provided}/dashboard.json" in (ROOT / "compose.yaml").read_text()


@pytest.mark.slow
@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_every_panel_of_the_dashboard_draws_something_from_a_real_run(tool: Tool, tmp_path: Path) -> None:
    tool("prometheus")
    target = tmp_path / "dashboard.svg"
    command = [sys.executable, "docs/draw_dashboard.py", "60", str(target)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False, cwd=ROOT)
    assert told.returncode == 0, told.stderr[-2000:]
    assert target.read_text("utf-8").count("<polyline") >= len([each for each in DASHBOARD["panels"] if each["type"] == "timeseries"])
