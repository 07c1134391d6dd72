"""From the runs' JSON (var/bench/*.json) to tables between the marks of docs/{en,zh}/performance.md and plots in docs/images.

python -m bench.report
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from bench.kit import plots, servers
from bench.kit.figures import Spread, spread

DOCS = servers.ROOT / "docs"
PLOTS = ((None, "bench-full.svg"), (1600, "bench-1600.svg"))
Group = dict[tuple[str, int | None, int], list[dict[str, Any]]]
HEADS = {
    "en": {
        "full": "Full size", "reduced": "1600 pixels", "clients": "at once",
        "convert": "| service | size | at once | of the bare loop | CPU of bare | p50 / p99 s | CPU s for 1000 images | peak MiB | health p99 ms |",
        "latency": "| | added ms, median | quarter to three quarters | bare ms |", "saturated": "| | p50 ms | p99 ms |",
        "machine": "| | |", "health": "`/api/health`", "event": "a progress event", "upload": "| service | uploads/s | p50 ms | p99 ms |",
    },
    "zh": {
        "full": "原尺寸", "reduced": "1600 像素", "clients": "并发",
        "convert": "| 服务 | 尺寸 | 并发 | 相对裸循环 | CPU 相对裸循环 | p50 / p99 秒 | 每千张 CPU 秒 | 峰值 MiB | 健康检查 p99 毫秒 |",
        "latency": "| | 增加的毫秒数（中位） | 四分位 | 裸编码毫秒 |", "saturated": "| | p50 毫秒 | p99 毫秒 |",
        "machine": "| | |", "health": "`/api/health`", "event": "进度事件", "upload": "| 服务 | 每秒上传 | p50 毫秒 | p99 毫秒 |",
    },
}  # fmt: skip


def main() -> None:
    runs = {path.stem: json.loads(path.read_text()) for path in sorted(servers.WORK.glob("*.json"))}
    rows = [row for name in ("convert", "concurrency", "reduced") if name in runs for row in runs[name]["rows"] if "of_bare" in row]
    for language, words in HEADS.items():
        path = DOCS / language / "performance.md"
        text = path.read_text("utf-8")
        for name, table in tables(runs, rows, words).items():
            begin, end = f"<!-- figures: {name} -->\n", "<!-- /figures -->"
            before, _, rest = text.partition(begin)
            text = before + begin + table + end + rest.partition(end)[2]
        path.write_text(text, "utf-8")
    if rows:
        draw(rows)


def tables(runs: dict[str, Any], rows: list[dict[str, Any]], words: dict[str, str]) -> dict[str, str]:
    made: dict[str, str] = {}
    if rows:
        made["convert"] = table(words["convert"], [convert_line(key, each, words) for key, each in grouped(rows).items()])
        drawn = [file for width, file in PLOTS if any(row["width"] == width for row in rows)]
        made["convert"] += "".join(f"\n![{file.removesuffix('.svg')}](../images/{file})\n" for file in drawn)
    if "convert" in runs:
        made["machine"] = table(words["machine"], [f"| {name} | {value} |" for name, value in runs["convert"]["machine"].items()])
    if "latency" in runs:
        low, median, high = runs["latency"]["added_ms"]
        made["latency"] = table(words["latency"], [f"| 0.6 MP | {median} | {low}–{high} | {runs['latency']['bare_ms']} |"])
    if "saturated" in runs:
        said = runs["saturated"]
        lines = [f"| {words[each]} | {said[f'{each}_p50_ms']:.1f} | {said[f'{each}_p99_ms']:.1f} |" for each in ("health", "event")]
        made["saturated"] = table(words["saturated"], lines)
    if "upload" in runs:
        lines = [f"| {name} | {each['per_s']} | {each['p50_ms']} | {each['p99_ms']} |" for name, each in runs["upload"].items()]
        made["upload"] = table(words["upload"], lines)
    return made


def table(head: str, lines: list[str]) -> str:
    return "\n".join([head, "|---" * (head.count("|") - 1) + "|", *lines, ""])


def grouped(rows: list[dict[str, Any]]) -> Group:
    groups: Group = defaultdict(list)
    for row in rows:
        groups[(row["name"], row["width"], row["clients"])].append(row)
    return dict(sorted(groups.items(), key=lambda each: (each[0][1] or 0, each[0][2], -of(each[1], "of_bare").median)))


def of(rows: list[dict[str, Any]], name: str) -> Spread:
    return spread([row[name] for row in rows if row.get(name) is not None] or [0.0])


def convert_line(key: tuple[str, int | None, int], rows: list[dict[str, Any]], words: dict[str, str]) -> str:
    name, width, clients = key
    spans = f"{of(rows, 'p50_ms').median / 1000:.2f} / {of(rows, 'p99_ms').median / 1000:.2f}"
    size = words["reduced" if width else "full"]
    cells = (name, size, clients, of(rows, "of_bare"), of(rows, "cpu_of_bare"), spans, f"{of(rows, 'cpu_s_per_1000').median:.0f}")
    cells += (f"{of(rows, 'peak_mib').high:.0f}", f"{of(rows, 'health_p99_ms').median:.0f}")
    return "| " + " | ".join(map(str, cells)) + " |"


def draw(rows: list[dict[str, Any]]) -> None:
    for width, file in PLOTS:
        chosen = {key: each for key, each in grouped(rows).items() if key[1] == width}
        if chosen:
            bars = [(f"{key[0]}, {key[2]} at once", of(each, "of_bare")) for key, each in chosen.items()]
            title = f"Throughput by that of the bare loop: {'1600 pixels wide' if width else 'full size'}"
            plots.bars(DOCS / "images" / file, title, bars, limit=1.0, ours="gateway")


if __name__ == "__main__":
    main()
