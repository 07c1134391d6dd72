"""One place reads requests' bodies. Werkzeug's own readers have no bound that fits: they read a body whole, or write it to a temporary file."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "backend" / "web"
READERS = {"form", "files", "values", "data", "json", "is_json", "get_json", "get_data", "stream", "input_stream", "make_form_data_parser"}
"""Of ``flask.request``."""
UNDER_OTHER_SERVERS = "request/peer.py"
"""Reads piece by piece where the server is not ours."""


def readers(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr in READERS and ast.unparse(node.value).split(".")[-1] == "request":
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
        elif isinstance(node, ast.Constant) and node.value == "wsgi.input":
            found.append(f"line {node.lineno}: wsgi.input")
        elif isinstance(node, ast.alias) and node.name.split(".")[-1] in ("get_input_stream", "FormDataParser", "formparser"):
            found.append(f"line {node.lineno}: {node.name}")
    return found


@pytest.mark.parametrize("path", sorted(WEB.rglob("*.py")), ids=lambda path: str(path.relative_to(WEB)))
def test_no_body_is_read_by_werkzeug(path: Path) -> None:
    assert readers(path) == [] or str(path.relative_to(WEB)) == UNDER_OTHER_SERVERS


def test_the_check_sees_a_body_that_is_read(tmp_path: Path) -> None:
    path = tmp_path / "route.py"
    path.write_text("request.form.get('a')\nflask.request.get_json()\nrequest.environ['wsgi.input'].read()\n")
    assert sorted(readers(path)) == ["line 1: request.form", "line 2: flask.request.get_json", "line 3: wsgi.input"]
