"""Each address says which methods it takes: the same in ``OPTIONS``, in ``Allow`` of a 405, and in what it really does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from backend.core import tus
from backend.web.routes import resources
from tests.unit.web.conftest import Web

Check = Callable[[TestResponse, int, str], dict[str, Any]]
EVERY = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
TUS = {"Tus-Resumable": tus.VERSION}


def addresses() -> dict[str, set[str]]:
    """Path → its methods."""
    app, found = Flask("routes"), dict[str, set[str]]()
    for resource in resources():
        app.register_blueprint(resource)
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^:<>]+:)?[^<>]+>", "x" * 22, rule.rule)
        found.setdefault(path, set()).update(rule.methods or ())
    return found


ADDRESSES = addresses()


def allowed(response: TestResponse) -> set[str]:
    return set(re.split(r"\s*,\s*", response.headers["Allow"]))


@pytest.mark.parametrize("path", [path for path in ADDRESSES if not path.startswith(tus.PATH)])
def test_options_and_a_refusal_name_the_methods_that_there_are(web: Web, problem: Check, path: str) -> None:
    methods = ADDRESSES[path]
    assert ("GET" in methods) == ("HEAD" in methods)
    said = web.ask("OPTIONS", path)
    assert (said.status_code, allowed(said)) == (200, methods)
    for method in set(EVERY) - methods:
        refused = web.ask(method, path)
        assert (refused.status_code, allowed(refused)) == (405, methods), method
        if method != "HEAD":
            problem(refused, 405, "method_not_allowed")


@pytest.mark.parametrize("path", [path for path in ADDRESSES if path.startswith(tus.PATH)])
def test_tus_answers_options_itself_and_refuses_in_the_same_way(web: Web, path: str) -> None:
    assert web.ask("OPTIONS", path).headers["Tus-Version"] == tus.VERSION
    for method in set(EVERY) - ADDRESSES[path]:
        refused = web.ask(method, path, headers=TUS)
        assert (refused.status_code, allowed(refused)) == (405, ADDRESSES[path]), method


@pytest.mark.parametrize("path", [path for path in ADDRESSES if path != "/" and not path.startswith((tus.PATH, "/static", "/plain", "/favicon"))])
def test_an_address_with_a_slash_at_its_end_may_have_been_deleted(web: Web, path: str) -> None:
    """It was answered so. The address that was meant is named."""
    for method in EVERY:
        answer = web.ask(method, f"{path}/?quality=3")
        if method not in ("HEAD", "PUT"):
            assert (answer.status_code, answer.json["suggestion"]) == (404, path), method  # type: ignore[index]
            assert path in answer.json["detail"]  # type: ignore[index]


@pytest.mark.parametrize("path", ["//evil.example/status/", "/%5Cevil.example/", "/http://evil.example/", "/nothing/"])
def test_no_slash_names_another_host(web: Web, path: str) -> None:
    assert web.ask("GET", "/", environ_overrides={"PATH_INFO": path}).status_code == 404
