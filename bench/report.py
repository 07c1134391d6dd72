"""From the runs' JSON (var/bench/*.json) to the tables in docs/internals/performance.md and tuning-exercises.md, and plots in docs/images.

python -m bench.report
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.kit import plots, servers
from bench.kit.chinese import CELLS, in_chinese
from bench.kit.figures import Spread, spread

DOCS = servers.ROOT / "docs"
PERFORMANCE = {"en": DOCS / "internals/performance.md", "zh-CN": DOCS / "internals/performance.zh-CN.md"}
EXERCISES = {"en": DOCS / "internals/tuning-exercises.md", "zh-CN": DOCS / "internals/tuning-exercises.zh-CN.md"}
PLOTS = ((None, "bench-full"), (1600, "bench-1600"))
PLOTTED_AT_ONCE = (4, 16)
MEMORY_PLOT, FOOTPRINT_PLOT = "bench-memory", "bench-footprint"
TUNING = ("workers", "kinds", "caches", "herd")
Rows = list[dict[str, Any]]
Words = dict[str, str]
Group = dict[tuple[str, int | None, int], Rows]
HEADS: dict[str, Words] = {
    "en": {
        "full": "Full size", "reduced": "1600 pixels", "missing": "Left out",
        "convert": "| service | size | at once | of the bare loop | CPU of bare | p50 / p95 / p99 s | CPU s for 1000 | peak MiB | health p99 ms |"
        " calm |",
        "latency": "| | added ms, median | quarter to three quarters | bare ms | the same picture again, ms |",
        "saturated": "| | p50 ms | p99 ms | the client's share of a core |",
        "machine": "| | |", "health": "`/api/health`", "event": "a progress event",
        "upload": "| service | uploads/s | p50 ms | p99 ms | processor ms each |",
        "memory": "| service | idle MiB | one encode of 24 megapixels, MiB more | an upload under way, KiB | a watcher, KiB |",
        "roles": "| of the gateway, idle | MiB |", "limits": "| | of the bare loop |",
        "scores": "| service | bytes of both | score, mean | bytes at equal score |",
        "busy": "| service | of the bare loop | images a processor second | bytes | score, mean | health p99 ms |",
        "live": "| service, {clients} clients | deliveries/s | p50 / p99 ms | cores | kB a client | missing |",
        "plot": "{}.svg", "at_once": "{}, {} at once", "idle": "{}, idle", "converting": "{}, converting",
        "plot_full": "Throughput by that of the bare loop: full size", "plot_reduced": "Throughput by that of the bare loop: 1600 pixels wide",
        "plot_memory": "Memory in MiB: idle, and while one 24-megapixel photograph is converted",
        "footprint": "| gateway workers | encoders | idle MiB | processor seconds of the start |",
        "each_more": "One more worker: {worker_mib} MiB. One more encoder: {encoder_mib} MiB.",
        "plot_footprint": "Idle memory in MiB by gateway workers and encoders", "numbers": "{} workers, {} encoders",
    },
    "zh-CN": {
        "full": "原尺寸", "reduced": "1600 像素", "missing": "未测",
        "convert": "| 服务 | 尺寸 | 并发 | 相对裸循环 | CPU 相对裸循环 | p50 / p95 / p99 秒 | 每千张 CPU 秒 | 峰值 MiB | 健康检查 p99 毫秒 |"
        " 有效轮次 |",
        "latency": "| | 增加的毫秒数（中位） | 四分位 | 裸编码毫秒 | 同一图片再次请求（毫秒） |",
        "saturated": "| | p50 毫秒 | p99 毫秒 | 客户端占一个核心的份额 |",
        "machine": "| | |", "health": "`/api/health`", "event": "进度事件", "upload": "| 服务 | 每秒上传 | p50 毫秒 | p99 毫秒 | 每次处理器毫秒 |",
        "memory": "| 服务 | 空闲 MiB | 编码一张 2400 万像素时多占 MiB | 每个进行中的上传 KiB | 每个订阅者 KiB |",
        "roles": "| 网关空闲时 | MiB |", "limits": "| | 相对裸循环 |",
        "scores": "| 服务 | 两张合计字节 | 平均得分 | 同等得分下的字节 |",
        "busy": "| 服务 | 相对裸循环 | 每处理器秒图片数 | 字节 | 平均得分 | 健康检查 p99 毫秒 |",
        "live": "| 服务，{clients} 个客户端 | 每秒送达 | p50 / p99 毫秒 | 核心数 | 每客户端 kB | 缺失 |",
        "plot": "{}.zh-CN.svg", "at_once": "{}，{} 并发", "idle": "{}，空闲", "converting": "{}，转换中",
        "plot_full": "相对裸循环的吞吐量：原尺寸", "plot_reduced": "相对裸循环的吞吐量：宽 1600 像素",
        "plot_memory": "内存（MiB）：空闲时，以及转换一张 2400 万像素照片时",
        "footprint": "| 工作进程 | 编码器 | 空闲 MiB | 启动所用 CPU 秒 |",
        "each_more": "每多一个工作进程：{worker_mib} MiB。每多一个编码器：{encoder_mib} MiB。",
        "plot_footprint": "空闲内存（MiB），按工作进程与编码器的数量", "numbers": "{} 个工作进程，{} 个编码器",
    },
}  # fmt: skip


def main() -> None:
    runs = {path.stem: json.loads(path.read_text()) for path in sorted(servers.WORK.glob("*.json"))}
    rows = [row for name in ("convert", "reduced") if name in runs for row in runs[name]["rows"]]
    for language, words in HEADS.items():
        _rewrite(PERFORMANCE[language], tables(runs, rows, words), "<!-- figures: {} -->\n", "<!-- /figures -->")
        exercises = {name: tuning_table(runs[f"tuning-{name}"]) for name in TUNING if f"tuning-{name}" in runs}
        _rewrite(EXERCISES[language], exercises, "<!-- table: {} -->\n", "\n\n")
        draw(rows, runs, words)


def _rewrite(path: Path, made: dict[str, str], begin: str, end: str) -> None:
    text = path.read_text("utf-8")
    if path.name.endswith(".zh-CN.md"):
        made = {name: in_chinese(lines) for name, lines in made.items()}
    for name, lines in made.items():
        before, mark, rest = text.partition(begin.format(name))
        if mark:
            text = before + mark + lines.rstrip("\n") + ("\n" if end != "\n\n" else "") + end + rest.partition(end)[2]
    path.write_text(text, "utf-8")


def tuning_table(rows: list[list[str]]) -> str:
    head, *lines = ("| " + " | ".join(row) + " |" for row in rows)
    return table(head, lines)


def tables(runs: dict[str, Any], rows: Rows, words: Words) -> dict[str, str]:
    """Every table for which there are figures, by the name of its place."""
    made: dict[str, str] = {}
    if rows:
        made["convert"] = convert_table(rows, words)
    if "convert" in runs:
        made["machine"] = table(words["machine"], [f"| {name} | {value} |" for name, value in runs["convert"]["machine"].items()])
    makers: dict[str, Callable[[Any, Words], str]] = {
        "latency": latency_table, "saturated": saturated_table, "upload": upload_table, "memory": memory_table, "limits": limits_table,
        "scores": scores_table, "live": live_table, "busy": busy_table, "footprint": footprint_table,
    }  # fmt: skip
    return made | {name: make(runs[name], words) for name, make in makers.items() if name in runs}


def convert_table(rows: Rows, words: Words) -> str:
    known = [row for row in rows if "of_bare" in row]
    rounds = Counter(map(group_of, known))
    made = table(words["convert"], [convert_line(key, each, rounds[key], words) for key, each in grouped(known).items()])
    drawn = [name for width, name in PLOTS if any(row["width"] == width for row in known)]
    return made + left_out(rows, words) + "".join(shown(name, words) for name in drawn)


def shown(name: str, words: Words) -> str:
    return f"\n![{name}](../images/{words['plot'].format(name)})\n"


def left_out(rows: Rows, words: Words) -> str:
    names = list(dict.fromkeys(row["name"] for row in rows if "error" in row))
    return f"\n{words['missing']}: {', '.join(names)}.\n" if names else ""


def latency_table(said: dict[str, Any], words: Words) -> str:
    low, median, high = said["added_ms"]
    return table(words["latency"], [f"| 0.6 MP | {median} | {low}–{high} | {said['bare_ms']} | {said.get('again_ms', '–')} |"])


def saturated_table(said: dict[str, Any], words: Words) -> str:
    share = f"{said.get('client_cpu', 0.0):.2f}"
    lines = [f"| {words[each]} | {said[f'{each}_p50_ms']:.1f} | {said[f'{each}_p99_ms']:.1f} | {share} |" for each in ("health", "event")]
    return table(words["saturated"], lines)


def upload_table(said: dict[str, Any], words: Words) -> str:
    lines = [f"| {name} | {each['per_s']} | {each['p50_ms']} | {each['p99_ms']} | {each.get('cpu_ms', '–')} |" for name, each in said.items()]
    return table(words["upload"], lines)


def memory_table(said: dict[str, Any], words: Words) -> str:
    known = [row for row in said["rows"] if "idle_mib" in row]
    lines = [
        f"| {row['name']} | {row['idle_mib']:.0f} | {row['encode_mib']:.0f} | {amount(row.get('upload_kib'))} | {amount(row.get('watcher_kib'))} |"
        for row in known
    ]
    roles = next((row["roles"] for row in known if "roles" in row), {})
    parts = table(words["roles"], [f"| {name} | {each} |" for name, each in sorted(roles.items(), key=lambda each: -each[1])])
    return table(words["memory"], lines) + left_out(said["rows"], words) + "\n" + parts + shown(MEMORY_PLOT, words)


def footprint_table(said: dict[str, Any], words: Words) -> str:
    lines = [f"| {each['workers']} | {each['encoders']} | {each['idle_mib']:.0f} | {each['cpu_s']:.1f} |" for each in said["rows"]]
    return table(words["footprint"], lines) + "\n" + words["each_more"].format(**said) + "\n" + shown(FOOTPRINT_PLOT, words)


def limits_table(said: dict[str, list[float]], words: Words) -> str:
    return table(words["limits"], [f"| {name} | {spread(values)} |" for name, values in said.items()])


def scores_table(said: dict[str, Any], words: Words) -> str:
    known = [row for row in said["rows"] if "of_curve" in row]
    lines = [f"| {row['name']} | {row['bytes']} | {row['score']:.1f} | {row['of_curve']:.3f} |" for row in known]
    return table(words["scores"], lines) + left_out(said["rows"], words)


def busy_table(said: dict[str, Any], words: Words) -> str:
    lines = []
    for name, each in said["rows"].items():
        size, score = (f"{each[of]:.{digits}f}" if each[of] is not None else "–" for of, digits in (("bytes", 3), ("score", 1)))
        lines.append(f"| {name} | {each['of_bare']:.2f} | {each['images_per_cpu_s']:.2f} | {size} | {score} | {each['health_p99_ms']:.0f} |")
    return table(words["busy"], lines)


def live_table(said: dict[str, Any], words: Words) -> str:
    lines = []
    for name, rounds in said["rounds"].items():
        rate, low, high, cores, kilobytes = (
            f"{of(rounds, each).median:g}" for each in ("deliveries_per_s", "p50_ms", "p99_ms", "cpu_cores", "kb_per_client")
        )
        lines.append(f"| {name} | {rate} | {low} / {high} | {cores} | {kilobytes} | {sum(each['missing'] for each in rounds)} |")
    return table(words["live"].format(clients=said["clients"]), lines)


def amount(value: float | None) -> str:
    """A family that gave memory back meanwhile grew by nothing that can be told."""
    return "–" if value is None or value < 0 else f"{value:.0f}"


def table(head: str, lines: list[str]) -> str:
    return "\n".join([head, "|---" * (head.count("|") - 1) + "|", *lines, ""])


def grouped(rows: Rows) -> Group:
    """Without those that others on the machine have disturbed, where there are any beside them."""
    groups: Group = defaultdict(list)
    for row in rows:
        groups[group_of(row)].append(row)
    calm = {key: [row for row in each if not row.get("disturbed")] or each for key, each in groups.items()}
    return dict(sorted(calm.items(), key=lambda each: (each[0][1] or 0, each[0][2], -of(each[1], "of_bare").median)))


def group_of(row: dict[str, Any]) -> tuple[str, int | None, int]:
    return row["name"], row["width"], row["clients"]


def of(rows: Rows, name: str) -> Spread:
    return spread([row[name] for row in rows if row.get(name) is not None] or [0.0])


def convert_line(key: tuple[str, int | None, int], rows: Rows, rounds: int, words: Words) -> str:
    """Last, how many of the rounds nobody else on the machine has disturbed: the figures are theirs, if there are any."""
    name, width, clients = key
    spans = " / ".join(f"{of(rows, each).median / 1000:.2f}" for each in ("p50_ms", "p95_ms", "p99_ms"))
    size = words["reduced" if width else "full"]
    cells = (name, size, clients, of(rows, "of_bare"), of(rows, "cpu_of_bare"), spans, f"{of(rows, 'cpu_s_per_1000').median:.0f}")
    calm = sum(not row.get("disturbed") for row in rows)
    cells += (f"{of(rows, 'peak_mib').high:.0f}", f"{of(rows, 'health_p99_ms').median:.0f}", f"{calm}/{rounds}")
    return "| " + " | ".join(map(str, cells)) + " |"


def draw(rows: Rows, runs: dict[str, Any], words: Words) -> None:
    known = [row for row in rows if "of_bare" in row]
    for width, name in PLOTS:
        chosen = {key: each for key, each in grouped(known).items() if key[1] == width and key[2] in PLOTTED_AT_ONCE}
        if chosen:
            bars = [(words["at_once"].format(key[0], key[2]), of(each, "of_bare")) for key, each in chosen.items()]
            plot(name, words["plot_reduced" if width else "plot_full"], bars, words, limit=1.0)
    measured = [row for row in runs.get("memory", {}).get("rows", []) if "idle_mib" in row]
    if measured:
        bars = [(words[kind].format(row["name"]), spread([value])) for row in measured for kind, value in amounts(row).items()]
        plot(MEMORY_PLOT, words["plot_memory"], bars, words, limit=None)
    if "footprint" in runs:
        counted = runs["footprint"]["rows"]
        bars = [(words["numbers"].format(each["workers"], each["encoders"]), spread([each["idle_mib"]])) for each in counted]
        plot(FOOTPRINT_PLOT, words["plot_footprint"], bars, words, limit=None)


def plot(name: str, title: str, bars: list[tuple[str, Spread]], words: Words, *, limit: float | None) -> None:
    if words is HEADS["zh-CN"]:
        bars = [(re.sub(r"^[^，]+", lambda service: CELLS.get(service[0], service[0]), label), figure) for label, figure in bars]
    plots.bars(DOCS / "images" / words["plot"].format(name), title, bars, limit=limit, ours="gateway")


def amounts(row: dict[str, Any]) -> dict[str, float]:
    return {"idle": row["idle_mib"], "converting": row["idle_mib"] + row["encode_mib"]}


if __name__ == "__main__":
    main()
