"""The pages of the documentation, and the tables in them that are made from the code.

    python docs/documents.py        after a change of settings, errors, metrics, alerts or the tests that show a setting's effect

The tests compare each table with the code.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from backend import errors, settings, texts  # noqa: E402

CHINESE = ".zh-CN.md"
LANGUAGE = re.compile(r"\.zh-CN(?=\.(?:md|svg))|(?<=-)(?:en|zh-CN)(?=-)")
"""What tells the languages apart in the name of a page or of a picture."""
GUIDES = {
    "docs/operate/monitoring.md": ("summary", ("Alert", "Severity", "After", "Says")),
    "docs/operate/monitoring.zh-CN.md": ("summary_zh", ("告警", "级别", "持续", "内容")),
}
CHECKLISTS = {"docs/internals/checklist.md": ("Setting", "Its effect is shown by"), "docs/internals/checklist.zh-CN.md": ("设置", "效果由此证明")}
SETTINGS = {
    "docs/reference/settings.md": ("en", ("Variable", "Default", "Meaning")),
    "docs/reference/settings.zh-CN.md": ("zh-CN", ("变量", "默认值", "含义")),
}
ERRORS = {"docs/reference/errors.md": "en", "docs/reference/errors.zh-CN.md": "zh-CN"}
RIGHTS = ("docs/operate/redis.md", "docs/operate/redis.zh-CN.md")
METRICS = {
    "docs/reference/metrics.md": ("en", ("Metric", "Kind", "Labels", "Meaning")),
    "docs/reference/metrics.zh-CN.md": ("zh-CN", ("指标", "类型", "标签", "含义")),
}
METRICS_IN_CHINESE = ROOT / "docs" / "metrics.zh-CN.toml"
TOPICS: tuple[tuple[str, str, str], ...] = (
    ("Address and proxy", "地址与代理", r"API_|GATEWAY_(PROXY_HOPS|PUBLIC_URL|PATH_PREFIX|ALLOWED_HOSTS|ALLOWED_ORIGINS|PEER_ADDRESS)"),
    ("Keys and shares", "密钥与配额", r"GATEWAY_(API_KEYS|RATE_LIMIT|CLIENT_(?!WEBHOOKS))"),
    ("Images", "图片", r"GATEWAY_(MAX_|ENCODE_TIMEOUT|SHARE_RESULTS|SANDBOX|WATERMARKS)"),
    ("Storage", "存储", r"GATEWAY_(DATA_DIR|STORAGE_URL|RETENTION|MIN_FREE)"),
    ("Images by URL", "按网址转换", r"GATEWAY_FETCH"),
    ("Webhooks", "Webhook", r"GATEWAY_(CLIENT_)?WEBHOOK"),
    ("Encoders", "编码器", r"GATEWAY_ENCODERS"),
    ("Redis", "Redis", r"REDIS_URL|GATEWAY_REDIS"),
    ("Connections and workers", "连接与工作进程", r"GUNICORN_|GATEWAY_(BODY_|CONNECTIONS_)"),
    ("Logs, metrics and traces", "日志、指标与追踪", r"GATEWAY_(LOG_|METRICS_|SENTRY_|TRACES_)"),
)
"""Sections of the settings, by the beginning of their names: a setting stands in the first that fits."""


def twin(name: str) -> str:
    """The Chinese page of an English one: it stands beside it."""
    return name.removesuffix(".md") + CHINESE


def pairs() -> list[tuple[str, str]]:
    """Every page in both languages, by its path from the root."""
    pages = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("**/*.md") if not path.name.endswith(CHINESE))
    return [(name, twin(name)) for name in ("README.md", "SECURITY.md", *pages)]


def between(text: str, marker: str, lines: list[str]) -> str:
    """``text`` with ``lines`` between the two comments of this name."""
    made = "\n".join(lines)
    return re.sub(rf"(<!-- {marker} -->\n).*(<!-- /{marker} -->)", lambda found: f"{found[1]}{made}\n{found[2]}", text, flags=re.DOTALL)


def head(cells: tuple[str, ...]) -> list[str]:
    return [f"| {' | '.join(cells)} |", "|" + "---|" * len(cells)]


def topic_of(name: str) -> int:
    """The number of the section in which a setting stands. Raises ``ValueError`` where none is for it."""
    for number, (_, _, begins) in enumerate(TOPICS):
        if re.match(begins, name):
            return number
    raise ValueError(f"{name}: no topic of docs/documents.py is for it")


def with_settings(text: str, language: str, heads: tuple[str, ...]) -> str:
    """``text`` with a table of settings for each topic between its two markers."""
    lines: list[str] = []
    for number, (english, chinese, _) in enumerate(TOPICS):
        rows = [row for row in settings.rows(language) if topic_of(row[0]) == number]
        lines += ["", f"### {english if language == 'en' else chinese}", "", *head(heads)]
        lines += [f"| `{name}` | {default} | {meaning} |" for name, default, meaning in rows]
    return between(text, "settings", [*lines[1:], ""])


def with_errors(text: str, language: str) -> str:
    """``text`` with a section for each error code: its status, what happened, what to do."""
    lines: list[str] = []
    for code in errors.BY_CODE:
        title, happened, advice = (texts.text(f"errors.{code}.{part}", language) for part in ("title", "happened", "advice"))
        told = f"{happened} {advice}" if language == "en" else happened + advice
        lines += ["", f"### {code}", "", f"`{errors.BY_CODE[code].status}` · **{title}**", "", told]
    return between(text, "errors", [*lines[1:], ""])


def metrics() -> list[tuple[str, str, tuple[str, ...], str]]:
    """Name as it is exposed, kind, labels and meaning in English."""
    from backend.web.metrics import prometheus

    counted = [(row.metric + ("_total" if row.kind == "counter" else ""), row.kind, row.labels, row.help) for row in prometheus.ROWS]
    return sorted([*counted, *((name, "gauge", labels, told) for name, (told, labels) in prometheus.GAUGES.items())])


def with_metrics(text: str, language: str, heads: tuple[str, ...]) -> str:
    """``text`` with the table of metrics. Their Chinese is in ``metrics.zh-CN.toml``: the program itself shows Prometheus English alone."""
    chinese = tomllib.loads(METRICS_IN_CHINESE.read_text("utf-8"))
    lines = head(heads)
    for name, kind, labels, told in metrics():
        meaning = told if language == "en" else chinese[name]
        lines.append(f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in labels)} | {meaning} |")
    return between(text, "metrics", lines)


def with_alerts(text: str, summary: str, heads: tuple[str, ...]) -> str:
    """``text`` with the table of alerts between its two markers, from Prometheus' rules."""
    import yaml

    groups = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text("utf-8"))["groups"]
    lines = head(heads)
    for rule in (each for group in groups for each in group["rules"] if "alert" in each):
        told = re.sub(r"\{\{ *\$(?:labels\.)?(\w+).*?\}\}", lambda found: f"‹{found[1]}›", rule["annotations"][summary])
        page, anchor = rule["annotations"]["runbook"].split("/")[-1].split("#")
        place = f"{twin(page) if summary.endswith('_zh') else page}#{anchor}"
        lines.append(f"| [{rule['alert']}]({place}) | {rule['labels']['severity']} | {rule.get('for', '0m')} | {told} |")
    return between(text, "alerts", lines)


def with_effects(text: str, heads: tuple[str, str]) -> str:
    """``text`` with the table of the tests that show what each setting does between its two markers."""
    from tests.system.ops.shown import SHOWN

    return between(text, "effects", [*head(heads), *(f"| `{name}` | `{SHOWN[name]}` |" for name, _, _ in settings.rows("en"))])


def with_acl(text: str) -> str:
    """``text`` with the line that gives Redis' user its rights."""
    from backend.adapters.redis.client import KEY_PREFIX
    from backend.adapters.redis.rights import acl_line

    return between(text, "acl", ["<!-- redis -->", "```sh", f"redis-cli {acl_line('webp', KEY_PREFIX)}", "```"])


def made() -> dict[str, list[Callable[[str], str]]]:
    """What is made anew on each page."""
    pages: dict[str, list[Callable[[str], str]]] = {}
    for name, (language, heads) in SETTINGS.items():
        pages.setdefault(name, []).append(lambda text, language=language, heads=heads: with_settings(text, language, heads))
    for name, language in ERRORS.items():
        pages.setdefault(name, []).append(lambda text, language=language: with_errors(text, language))
    for name, (language, heads) in METRICS.items():
        pages.setdefault(name, []).append(lambda text, language=language, heads=heads: with_metrics(text, language, heads))
    for name, (summary, titles) in GUIDES.items():
        pages.setdefault(name, []).append(lambda text, summary=summary, titles=titles: with_alerts(text, summary, titles))
    for name, columns in CHECKLISTS.items():
        pages.setdefault(name, []).append(lambda text, columns=columns: with_effects(text, columns))
    for name in RIGHTS:
        pages.setdefault(name, []).append(with_acl)
    return pages


def main() -> None:
    for name, steps in made().items():
        text = (ROOT / name).read_text("utf-8")
        for step in steps:
            text = step(text)
        (ROOT / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
