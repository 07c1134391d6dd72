"""The pages of the documentation, and the tables in them that are made from the code.

    python docs/documents.py        after a change of the settings, the alerts or the tests that show a setting's effect

The tests compare each table with the code.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from backend import settings  # noqa: E402

CHINESE = ".zh-CN.md"
LANGUAGE = re.compile(r"\.zh-CN(?=\.md)|(?<=-)(?:en|zh-CN)(?=-)")
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


def twin(name: str) -> str:
    """The Chinese page of an English one: it stands beside it."""
    return name.removesuffix(".md") + CHINESE


def pairs() -> list[tuple[str, str]]:
    """Every page in both languages, by its path from the root."""
    pages = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("**/*.md") if not path.name.endswith(CHINESE))
    return [(name, twin(name)) for name in ("README.md", "SECURITY.md", *pages)]


def with_settings(text: str, language: str, heads: tuple[str, str, str]) -> str:
    """``text`` with the settings table between its two markers."""
    lines = [f"| {' | '.join(heads)} |", "|---|---|---|"]
    lines += [f"| `{name}` | {default} | {meaning} |" for name, default, meaning in settings.rows(language)]
    return re.sub(r"(<!-- settings -->\n).*(<!-- /settings -->)", lambda found: found[1] + "\n".join(lines) + "\n" + found[2], text, flags=re.DOTALL)


def with_alerts(text: str, summary: str, heads: tuple[str, ...]) -> str:
    """``text`` with the table of alerts between its two markers, from Prometheus' rules."""
    import yaml

    groups = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text("utf-8"))["groups"]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for rule in (each for group in groups for each in group["rules"] if "alert" in each):
        told = re.sub(r"\{\{ *\$(?:labels\.)?(\w+).*?\}\}", lambda found: f"‹{found[1]}›", rule["annotations"][summary])
        page, anchor = rule["annotations"]["runbook"].split("/")[-1].split("#")
        place = f"{twin(page) if summary.endswith('_zh') else page}#{anchor}"
        lines.append(f"| [{rule['alert']}]({place}) | {rule['labels']['severity']} | {rule.get('for', '0m')} | {told} |")
    return re.sub(r"(<!-- alerts -->\n).*(<!-- /alerts -->)", lambda found: found[1] + "\n".join(lines) + "\n" + found[2], text, flags=re.DOTALL)


def with_effects(text: str, heads: tuple[str, str]) -> str:
    """``text`` with the table of the tests that show what each setting does between its two markers."""
    from tests.system.ops.shown import SHOWN

    lines = [f"| {' | '.join(heads)} |", "|---|---|", *(f"| `{name}` | `{SHOWN[name]}` |" for name, _, _ in settings.rows("en"))]
    return re.sub(r"(<!-- effects -->\n).*(<!-- /effects -->)", lambda found: found[1] + "\n".join(lines) + "\n" + found[2], text, flags=re.DOTALL)


def main() -> None:
    for name, (language, heads) in SETTINGS.items():
        path = ROOT / name
        path.write_text(with_settings(path.read_text("utf-8"), language, heads), "utf-8")
    for name, (summary, titles) in GUIDES.items():
        path = ROOT / name
        path.write_text(with_alerts(path.read_text("utf-8"), summary, titles), "utf-8")
    for name, columns in CHECKLISTS.items():
        path = ROOT / name
        path.write_text(with_effects(path.read_text("utf-8"), columns), "utf-8")


if __name__ == "__main__":
    main()
