"""Nothing is put into HTML without escaping: in Python it is made by ``markup`` from constants, on the page text is set as text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TAG = re.compile(r"<(?:[a-zA-Z][a-zA-Z0-9]*[\s>/]|/[a-zA-Z]|!doctype)", re.IGNORECASE)
MADE_IN = "backend/web/response/html_response.py"
PYTHON = sorted((ROOT / "backend").rglob("*.py"))
SCRIPTS = sorted(path for path in (ROOT / "frontend").rglob("*.js") if "vendor" not in path.parts)
PAGES = sorted(path for path in (ROOT / "frontend").rglob("*.html"))
SINKS = re.compile(
    r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|setHTML(?:Unsafe)?|parseFromString|srcdoc|DOMParser)\b"
    r"|document\.write|\beval\s*\(|new Function\b|setTimeout\(\s*['\"`]|javascript:|setAttribute\(\s*['\"`]on"
)


def has_tag(node: ast.expr) -> bool:
    return any(isinstance(each, ast.Constant) and isinstance(each.value, str) and TAG.search(each.value) for each in ast.walk(node))


def unsafe_markup(source: str, place: str) -> Iterator[str]:
    """Each place where HTML is put together otherwise than by ``markup(CONSTANT, …)``."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.JoinedStr() if has_tag(node):
                yield f"{place}:{node.lineno}: an f-string with a tag"
            case ast.BinOp(op=ast.Add() | ast.Mod(), left=left, right=right) if {type(left), type(right)} & {ast.Constant} and has_tag(node):
                yield f"{place}:{node.lineno}: a tag in a sum"
            case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="format" | "join" | "replace")) if has_tag(node.func):
                yield f"{place}:{node.lineno}: a tag in str.{node.func.attr}"
            case ast.Call(func=ast.Name(id="markup"), args=[template, *_]) if not is_constant(template):
                yield f"{place}:{node.lineno}: markup of what is no constant"
            case ast.Call(func=ast.Name(id="Markup"), args=[_, *_]) if place != MADE_IN:
                yield f"{place}:{node.lineno}: Markup of a text"


def is_constant(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id.isupper())


def test_html_is_made_by_one_function_that_escapes() -> None:
    assert [each for path in PYTHON for each in unsafe_markup(path.read_text("utf-8"), str(path.relative_to(ROOT)))] == []


@pytest.mark.parametrize(
    "wrong",
    [
        'f"<b>{name}</b>"',
        '"<b>" + name',
        '"<b>%s</b>" % name',
        '"<b>{}</b>".format(name)',
        '"</li><li>".join(names)',
        "markup(template, name=name)",
        'markup(f"<b>{name}</b>")',
        "Markup(name)",
    ],
)
def test_other_ways_are_found(wrong: str) -> None:
    assert list(unsafe_markup(wrong, "x.py"))


RIGHT = ['markup("<b>{name}</b>", name=name)', "markup(BODY, name=name)", "Markup()", 'f"a < {b}"', "f'<{address}>; rel=job'"]


@pytest.mark.parametrize("right", RIGHT)
def test_right_ways_are_not(right: str) -> None:
    assert not list(unsafe_markup(right, "x.py"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_script_sets_text_as_text(path: Path) -> None:
    assert SINKS.findall(path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_runs_no_inline_script(path: Path) -> None:
    """The policy of ``response/headers`` forbids it in browsers; here it is not even tried."""
    text = path.read_text("utf-8")
    assert not re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(?!\s*</script>)|\son[a-z]+=|javascript:", text)
