"""The guides' commands run on a fresh clone, in the order in which a reader types them; both languages say the same; the checklist is true."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from docs import documents
from tests.support.fresh_clone import copy_of_the_tree, environment_of_this_tree, script, typed
from tests.support.page_blocks import marked
from tests.support.running import ROOT

OPERATE = ("deployment", "layouts", "tuning", "monitoring", "storage", "upgrading", "troubleshooting")
GUIDES = (*(f"docs/operate/{name}.md" for name in OPERATE), "docs/reference/limits.md", "docs/internals/checklist.md")
CHECKLIST_HEADS = ("| Expected | Shown |", "| 期望 | 证明 |", "| Setting | Its effect is shown by |", "| 设置 | 效果由此证明 |")
NAMES = r"\b(?:GATEWAY|GUNICORN|API|REDIS)_[A-Z_]+|\bgateway_\w+|\b(?:tests|deploy|bench|docs|backend)/[\w./-]+\w"
LONG = {"docs/operate/monitoring.md", "docs/operate/upgrading.md"}
"""What is run in them takes ten seconds and more each."""


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


RUNNABLE = [name for name in GUIDES if marked(name, "run")]


@pytest.mark.e2e
@pytest.mark.timeout(500)
@pytest.mark.parametrize("name", [pytest.param(each, marks=[pytest.mark.slow] if each in LONG else []) for each in RUNNABLE])
def test_the_commands_of_a_guide_run_on_a_fresh_clone(name: str, tool: Callable[[str], str], tmp_path: Path) -> None:
    """The clone shares only what ``./start.sh setup`` would install from the same lock; ports are free ones."""
    clone = copy_of_the_tree(tmp_path / "clone")
    (clone / ".venv").symlink_to(environment_of_this_tree())
    for program in {"curl", "pgrep", "promtool", "git"} & set(re.findall(r"\w+", script(name))):
        tool(program)
    done = typed(script(name), clone, 150)
    assert done.code == 0, done.said[-3000:]


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
