"""The guides' commands run on a fresh clone, in the order in which a reader types them; both languages say the same; the checklist is true."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.e2e.running import ROOT, free_port

GUIDES = ("deployment", "tuning", "monitoring", "upgrading", "troubleshooting", "limits", "checklist")
CHECKLIST_HEADS = ("| Expected | Shown |", "| 期望 | 证明 |", "| Setting | Its effect is shown by |", "| 设置 | 效果由此证明 |")
RUN = re.compile(r"<!-- run -->\n```sh\n(.*?)```", re.DOTALL)
NAMES = r"\b(?:GATEWAY|GUNICORN|API|REDIS)_[A-Z_]+|\bgateway_\w+|\b(?:tests|deploy|bench|docs|backend)/[\w./-]+\w"
LONG = {"monitoring", "upgrading"}
"""What is run in them takes ten seconds and more each."""
RUNNABLE = [name for name in GUIDES if RUN.search((ROOT / f"docs/en/{name}.md").read_text("utf-8"))]


def read(language: str, name: str) -> str:
    return (ROOT / f"docs/{language}/{name}.md").read_text("utf-8")


@pytest.mark.e2e
@pytest.mark.timeout(500)
@pytest.mark.parametrize("name", [pytest.param(each, marks=[pytest.mark.slow] if each in LONG else []) for each in RUNNABLE])
def test_the_commands_of_a_guide_run_on_a_fresh_clone(name: str, tool: Callable[[str], str], tmp_path: Path) -> None:
    """The clone shares only what ``./start.sh setup`` would install from the same lock; ports are free ones."""
    if not (ROOT / ".git").exists():
        missing("this is not a clone")
    subprocess.run([str(ROOT / "start.sh"), "setup"], check=True, capture_output=True, timeout=200)
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], check=True, timeout=120)
    (clone / ".venv").symlink_to(ROOT / ".venv")
    script = "\n".join(RUN.findall(read("en", name))).replace("9464", str(free_port()))
    for program in {"curl", "pgrep", "promtool", "git"} & set(re.findall(r"\w+", script)):
        tool(program)
    given = {**os.environ, "API_PORT": str(free_port()), "GUNICORN_WORKERS": "2"}
    with (tmp_path / "said").open("w+") as said:
        process = subprocess.Popen(["bash", "-euo", "pipefail", "-c", script], cwd=clone, env=given, stdout=said, stderr=said, start_new_session=True)
        try:
            code = process.wait(150)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)
    assert code == 0, (tmp_path / "said").read_text()[-3000:]


def test_three_guides_at_least_have_commands_that_run() -> None:
    assert {"deployment", "monitoring", "upgrading"} <= set(RUNNABLE)


@pytest.mark.parametrize("name", GUIDES)
def test_both_languages_have_the_same_tables_links_names_and_figures(name: str) -> None:
    one, other = read("en", name), read("zh", name)

    def rows(text: str) -> list[int]:
        return [line.count("|") for line in text.splitlines() if line.startswith("|")]

    def links(text: str) -> list[str]:
        return [re.sub(r"#.*", "", target).replace("README.zh-CN.md", "README.md") for target in re.findall(r"\]\(([^)]+)\)", text)]

    def named(text: str) -> list[str]:
        return sorted(set(re.findall(NAMES, text, re.ASCII)))

    assert rows(one) == rows(other)
    assert links(one) == links(other)
    assert [each.replace("docs/zh", "docs/en") for each in named(other)] == named(one)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_readme_leads_to_every_guide(language: str) -> None:
    readme = (ROOT / {"en": "README.md", "zh": "README.zh-CN.md"}[language]).read_text("utf-8")
    assert [name for name in GUIDES if f"docs/{language}/{name}.md" not in readme] == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_table_of_alerts_is_the_rules(language: str) -> None:
    spec = importlib.util.spec_from_file_location("documents", ROOT / "docs" / "documents.py")
    assert spec and spec.loader
    documents = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(documents)
    text = read(language, "monitoring")
    assert text == documents.with_alerts(text, *documents.GUIDES[f"docs/{language}/monitoring.md"]), "run: python docs/documents.py"
    assert "GatewayDown" in text


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", GUIDES)
def test_every_link_to_a_section_leads_to_one(name: str, language: str) -> None:
    text = read(language, name)
    for file, anchor in re.findall(r"\]\(([^)#]*)#([^)]+)\)", text):
        target = ROOT / "docs" / language / file if file else ROOT / f"docs/{language}/{name}.md"
        whole = target.read_text("utf-8")
        anchors = [re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in re.findall(r"^#+ (.*)$", whole, re.MULTILINE)]
        anchors += re.findall(r'<a id="([^"]+)">', whole)
        assert anchor in anchors, f"{name}: {file}#{anchor}"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_the_checklist_points_at_is_there(language: str) -> None:
    """A path must exist; a ``path::name`` must be a test of that file."""
    lines = [line for line in read(language, "checklist").splitlines() if line.startswith("| ") and line not in CHECKLIST_HEADS]
    shown = [re.findall(r"`((?:[\w.-]+/)*[\w.-]+\.\w+(?:::\w+)?)`", line.split("|")[-2]) for line in lines]
    assert len(shown) > 50
    for line, places in zip(lines, shown, strict=True):
        assert places or "](" in line.split("|")[-2], f"nothing is shown: {line}"
        for place in places:
            path, _, name = place.partition("::")
            assert (ROOT / path).exists(), place
            assert not name or re.search(rf"^def {name}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE), place
