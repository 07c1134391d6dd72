"""Documentation is tested like code: what is made from the code is up to date, and the two languages have the same shape."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from backend import settings
from tests.ops.shown import SHOWN

ROOT = Path(__file__).resolve().parents[2]
PAIRS = [("README.md", "README.zh-CN.md"), *((f"docs/en/{path.name}", f"docs/zh/{path.name}") for path in sorted((ROOT / "docs/en").glob("*.md")))]


def load_documents() -> object:
    spec = importlib.util.spec_from_file_location("documents", ROOT / "docs" / "documents.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_settings_table_is_the_settings(name: str) -> None:
    documents = load_documents()
    text = (ROOT / name).read_text("utf-8")
    assert text == documents.with_settings(text, *documents.READMES[name]), "run: python docs/documents.py"  # type: ignore[attr-defined]
    assert "`GATEWAY_MAX_PIXELS`" in text


def test_every_setting_has_a_test_of_its_effect_and_every_such_test_is_there() -> None:
    assert set(SHOWN) == {name for name, _, _ in settings.rows("en")}
    for place in SHOWN.values():
        path, _, name = place.partition("::")
        assert f"def {name}(" in (ROOT / path).read_text("utf-8"), place


@pytest.mark.parametrize("name", ["docs/en/checklist.md", "docs/zh/checklist.md"])
def test_the_checklist_names_the_test_of_every_setting(name: str) -> None:
    documents = load_documents()
    text = (ROOT / name).read_text("utf-8")
    assert text == documents.with_effects(text, documents.CHECKLISTS[name]), "run: python docs/documents.py"  # type: ignore[attr-defined]
    assert "`GUNICORN_BACKLOG`" in text


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_both_languages_have_the_same_headings_code_and_links(english: str, chinese: str) -> None:
    one, other = ((ROOT / name).read_text("utf-8") for name in (english, chinese))

    def headings(text: str) -> list[str]:
        return re.findall(r"^#+", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)

    def code(text: str) -> list[str]:
        return re.findall(r"```.*?```", text, re.DOTALL)

    assert headings(one) == headings(other)
    assert code(one) == code(other)


@pytest.mark.parametrize("name", sorted({name for pair in PAIRS for name in pair}))
def test_every_relative_link_leads_somewhere(name: str) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / name).read_text("utf-8")):
        assert (ROOT / name).parent.joinpath(target).exists(), f"{name}: {target}"
