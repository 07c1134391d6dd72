"""The guides' commands run on a fresh clone, in the order in which a reader types them; both languages say the same; the checklist is true."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from docs import documents
from tests.conftest import missing
from tests.support.running import ROOT, free_port

OPERATE = ("deployment", "tuning", "monitoring", "storage", "upgrading", "troubleshooting")
GUIDES = (*(f"docs/operate/{name}.md" for name in OPERATE), "docs/reference/limits.md", "docs/internals/checklist.md")
CHECKLIST_HEADS = ("| Expected | Shown |", "| 期望 | 证明 |", "| Setting | Its effect is shown by |", "| 设置 | 效果由此证明 |")
RUN = re.compile(r"<!-- run -->\n```sh\n(.*?)```", re.DOTALL)
NAMES = r"\b(?:GATEWAY|GUNICORN|API|REDIS)_[A-Z_]+|\bgateway_\w+|\b(?:tests|deploy|bench|docs|backend)/[\w./-]+\w"
LONG = {"docs/operate/monitoring.md", "docs/operate/upgrading.md"}
"""What is run in them takes ten seconds and more each."""


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


RUNNABLE = [name for name in GUIDES if RUN.search(read(name))]


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
    script = "\n".join(RUN.findall(read(name))).replace("9464", str(free_port()))
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
    assert {f"docs/operate/{name}.md" for name in ("deployment", "monitoring", "upgrading")} <= set(RUNNABLE)


@pytest.mark.parametrize(("english", "chinese"), documents.pairs())
def test_both_languages_have_the_same_tables_names_and_figures(english: str, chinese: str) -> None:
    one, other = read(english), read(chinese)

    def rows(text: str) -> list[int]:
        return [line.count("|") for line in text.splitlines() if line.startswith("|")]

    def named(text: str) -> list[str]:
        return sorted({documents.LANGUAGE.sub("", each) for each in re.findall(NAMES, text, re.ASCII)})

    assert rows(one) == rows(other)
    assert named(other) == named(one)


@pytest.mark.parametrize("name", documents.GUIDES)
def test_the_table_of_alerts_is_the_rules(name: str) -> None:
    text = read(name)
    assert text == documents.with_alerts(text, *documents.GUIDES[name]), "run: python docs/documents.py"
    assert "GatewayDown" in text


@pytest.mark.parametrize("name", documents.CHECKLISTS)
def test_what_the_checklist_points_at_is_there(name: str) -> None:
    """A path must exist; a ``path::name`` must be a test of that file."""
    lines = [line for line in read(name).splitlines() if line.startswith("| ") and line not in CHECKLIST_HEADS]
    shown = [re.findall(r"`((?:[\w.-]+/)*[\w.-]+\.\w+(?:::\w+)?)`", line.split("|")[-2]) for line in lines]
    assert len(shown) > 50
    for line, places in zip(lines, shown, strict=True):
        assert places or "](" in line.split("|")[-2], f"nothing is shown: {line}"
        for place in places:
            path, _, test = place.partition("::")
            assert (ROOT / path).exists(), place
            assert not test or re.search(rf"^def {test}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE), place
