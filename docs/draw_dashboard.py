"""Draws deploy/grafana/dashboard.json without Grafana: every panel's own queries, answered by a real Prometheus that scraped a real run.

    python docs/draw_dashboard.py [seconds of load, 150] [file, docs/images/dashboard.svg]

The run: a gateway with two encoders, clients that upload and watch, damaged images among good ones, and a killed encoder in the middle.
Panels, titles, units and places are the JSON's; only the drawing is ours. Needs the tests' Python and Debian's prometheus.
"""

from __future__ import annotations

import html
import io
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import requests  # noqa: E402

from tests.support.images import photograph  # noqa: E402
from tests.support.running import Gateway, free_port, running, wait_for  # noqa: E402

SCRAPE_S, STEP_S, WINDOW = 1, 2, "20s"
CELL_W, CELL_H, HEAD = 52, 30, 26
COLOURS = ["#2a6fdb", "#1f9d6b", "#d9822b", "#c23b4b", "#7a52c7", "#0d8fa6", "#8a6d3b", "#5a6b7b"]
Series = list[tuple[float, float]]


def main() -> None:
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "docs/images/dashboard.svg"
    dashboard = json.loads((ROOT / "deploy/grafana/dashboard.json").read_text("utf-8"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running(folder / "data", GATEWAY_ENCODERS="2", GUNICORN_WORKERS="3") as gateway, prometheus(gateway.port, folder) as ask:
            begun = time.time()
            load(gateway, seconds)
            found = {panel["id"]: answers(ask, panel, begun, time.time()) for panel in dashboard["panels"]}
    empty = [panel["title"] for panel in dashboard["panels"] if panel["type"] != "row" and not any(found[panel["id"]].values())]
    if empty:
        sys.exit(f"These panels have nothing to show: {', '.join(empty)}")
    target.write_text(picture(dashboard, found), "utf-8")


@contextmanager
def prometheus(gateway_port: int, folder: Path) -> Iterator[str]:
    """The address of a Prometheus with the shipped rules that scrapes the gateway."""
    port = free_port()
    rules, own = ROOT / "deploy/prometheus/rules.yml", folder / "prometheus.yml"
    scrape = f'[{{job_name: gateway, static_configs: [{{targets: ["127.0.0.1:{gateway_port}"]}}]}}]'
    own.write_text(f"global: {{scrape_interval: {SCRAPE_S}s, evaluation_interval: {SCRAPE_S}s}}\nrule_files: [{rules}]\nscrape_configs: {scrape}\n")
    words = [f"--config.file={own}", f"--storage.tsdb.path={folder}/tsdb", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    process = subprocess.Popen(["prometheus", *words])
    try:
        wait_for(lambda: _is_ready(port), 30, "for Prometheus")
        yield f"http://127.0.0.1:{port}/api/v1"
    finally:
        process.terminate()
        process.wait(30)


def _is_ready(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/-/ready", timeout=2).status_code == 200
    except requests.RequestException:
        return False


def load(gateway: Gateway, seconds: int) -> None:
    """Three clients with images of several sizes, one of them at times with a damaged one; watchers; a killed encoder."""
    until = time.monotonic() + seconds
    images = [photograph(*size) for size in ((640, 480), (1600, 1200), (3000, 2000))]
    broken = images[1][: len(images[1]) // 3]

    def client(seed: int) -> None:
        dice = random.Random(seed)
        while time.monotonic() < until:
            image = broken if dice.random() < 0.1 else dice.choice(images)
            answer = requests.post(f"{gateway.url}/api/jobs", data=image, headers={"Prefer": "wait=10"}, timeout=40)
            if answer.ok:
                with requests.get(f"{gateway.url}/api/jobs/{answer.json()['id']}/events", stream=True, timeout=60) as stream:
                    io.BytesIO(b"".join(stream.iter_content(4096)))
                requests.get(f"{gateway.url}/api/jobs/{answer.json()['id']}/result", timeout=30)
            requests.get(f"{gateway.url}/api/jobs/unknown", timeout=30)

    clients = [threading.Thread(target=client, args=(seed,)) for seed in range(4)]
    for each in clients:
        each.start()
    middle = time.monotonic() + seconds / 2
    wait_for(lambda: time.monotonic() > middle, seconds, "for the middle of the run")
    os.kill(gateway.find("celery")[-1].pid, signal.SIGKILL)
    for each in clients:
        each.join()


def answers(ask: str, panel: dict[str, Any], begun: float, ended: float) -> dict[str, Series]:
    found: dict[str, Series] = {}
    for target in panel.get("targets", []):
        query = target["expr"].replace("$__rate_interval", WINDOW)
        given = {"query": query, "start": begun + 10, "end": ended, "step": STEP_S}
        told = requests.get(f"{ask}/query_range", params=given, timeout=60)  # type: ignore[arg-type]
        assert told.status_code == 200, f"{panel['title']}: {told.text}"
        for each in told.json()["data"]["result"]:
            name = target.get("legendFormat", "")
            for label, value in each["metric"].items():
                name = name.replace("{{" + label + "}}", value)
            numbers = [(float(at), float(value)) for at, value in each["values"]]
            found[name.replace("{{code}}", "").strip() or "–"] = [(at, value) for at, value in numbers if not math.isnan(value)]
    return found


def picture(dashboard: dict[str, Any], found: dict[int, dict[str, Series]]) -> str:
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"]) * CELL_H
    style = "text{font:12px system-ui,sans-serif;fill:#24292f}.t{font-weight:600}.s{fill:#57606a;font-size:11px}.n{font-size:28px;font-weight:600}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {24 * CELL_W} {height}" role="img" aria-label="{html.escape(dashboard["title"])}">',
        f'<style>{style}</style><rect width="100%" height="100%" fill="#f6f8fa"/>',
    ]
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        x, y, w, h = at["x"] * CELL_W + 4, at["y"] * CELL_H + 3, at["w"] * CELL_W - 8, at["h"] * CELL_H - 6
        draw = {"row": _row, "stat": _stat, "timeseries": _lines}[panel["type"]]
        parts.append(f'<g transform="translate({x} {y})">{draw(panel, found[panel["id"]], w, h)}</g>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _row(panel: dict[str, Any], _: dict[str, Series], w: int, h: int) -> str:
    return f'<text class="t" x="4" y="{h - 6}" style="font-size:15px">{html.escape(panel["title"])}</text>'


def _frame(panel: dict[str, Any], w: int, h: int) -> str:
    """A narrow panel has its title's second language on a second line."""
    lines = panel["title"].split(" · ") if w < 200 else [panel["title"]]
    titles = "".join(f'<text class="t" x="8" y="{17 + 16 * number}">{html.escape(line)}</text>' for number, line in enumerate(lines))
    return f'<rect width="{w}" height="{h}" rx="4" fill="#fff" stroke="#d0d7de"/>{titles}'


def _stat(panel: dict[str, Any], found: dict[str, Series], w: int, h: int) -> str:
    numbers = next(iter(found.values()), [])
    text = _told(numbers[-1][1], panel["fieldConfig"]["defaults"]["unit"]) if numbers else "–"
    return _frame(panel, w, h) + f'<text class="n" x="{w / 2}" y="{h / 2 + 34}" text-anchor="middle">{text}</text>'


def _lines(panel: dict[str, Any], found: dict[str, Series], w: int, h: int) -> str:
    unit = panel["fieldConfig"]["defaults"]["unit"]
    stacked = panel["fieldConfig"]["defaults"]["custom"]["stacking"]["mode"] == "normal"
    shown = _stack(found) if stacked else found
    points = [point for series in shown.values() for point in series]
    left, top, right, bottom = 62, HEAD + 8, w - 10, h - 34
    first, last = min((at for at, _ in points), default=0.0), max((at for at, _ in points), default=1.0)
    most = max((value for _, value in points), default=0.0) or 1.0
    out = [_frame(panel, w, h)]
    for step in range(4):
        y = bottom - (bottom - top) * step / 3
        out.append(f'<path d="M{left} {y:.0f}H{right}" stroke="#eaeef2"/>')
        out.append(f'<text class="s" x="{left - 6}" y="{y + 4:.0f}" text-anchor="end">{_told(most * step / 3, unit)}</text>')
    for number, (name, series) in enumerate(sorted(shown.items())):
        colour = COLOURS[number % len(COLOURS)]
        wide, high = (right - left) / max(1.0, last - first), (bottom - top) / most
        path = " ".join(f"{left + wide * (at - first):.1f},{bottom - high * value:.1f}" for at, value in series)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        x, y = 10 + (number % 4) * (w - 20) / 4, h - 18 + 13 * (number // 4)
        out.append(f'<rect x="{x:.0f}" y="{y - 8:.0f}" width="9" height="9" fill="{colour}"/>')
        out.append(f'<text class="s" x="{x + 13:.0f}" y="{y:.0f}">{html.escape(name)}</text>')
    return "".join(out)


def _stack(found: dict[str, Series]) -> dict[str, Series]:
    sums: dict[float, float] = {}
    shown = {}
    for name in sorted(found):
        for at, value in found[name]:
            sums[at] = sums.get(at, 0.0) + value
        shown[name] = [(at, sums[at]) for at, _ in found[name]]
    return shown


def _told(value: float, unit: str) -> str:
    if unit in ("percentunit", "bool_yes_no"):
        return f"{value:.0%}" if unit == "percentunit" else ("yes" if value >= 1 else "no" if value == 0 else "")
    for sign, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {sign}{'B' if unit in ('bytes', 'Bps') else ''}{'/s' if unit == 'Bps' else ''}"
    if unit == "s":
        return f"{value:.3g} s" if value >= 1 or value == 0 else f"{value * 1000:.3g} ms"
    return f"{value:.3g}{' B' if unit == 'bytes' else ' B/s' if unit == 'Bps' else ''}"


if __name__ == "__main__":
    main()
