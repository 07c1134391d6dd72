"""``/problems/…``: what a problem's type points at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from backend import errors, texts
from tests.unit.web.conftest import Web

Check = Callable[[TestResponse, int, str], dict[str, Any]]


@pytest.mark.parametrize("language", texts.languages())
@pytest.mark.parametrize("code", errors.BY_CODE)
def test_every_type_says_what_happened_and_what_to_do(web: Web, code: str, language: str) -> None:
    told = web.get(f"/problems/{code}", headers={"Accept": "application/json", "Accept-Language": language})
    record: Any = told.json
    assert (record["code"], record["title"]) == (code, texts.text(f"errors.{code}.title", language))
    assert errors.BY_CODE[code].status in record["status"] and record["happened"] and record["advice"]
    page = web.get(f"/problems/{code}", headers={"Accept-Language": language})
    assert page.content_type == "text/html; charset=utf-8" and f'lang="{language}"' in page.text
    assert record["advice"][:20].replace("'", "&#39;") in page.text
    assert page.headers["Content-Language"] == language and "Accept-Language" in page.headers["Vary"]


def test_a_problems_own_type_leads_there(web: Web) -> None:
    body: Any = web.get("/api/jobs/nothing").json
    assert web.get(body["type"], headers={"Accept": "application/json"}).json["code"] == "not_found"  # type: ignore[index]


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "text/html"),
        ("application/json", "application/json"),
        ("application/problem+json", "application/json"),
        ("text/html,*/*;q=0.1", "text/html"),
    ],
)
def test_a_person_gets_a_page_and_a_program_gets_json(web: Web, accept: str, media_type: str) -> None:
    for path in ("/problems", "/problems/gone"):
        assert web.get(path, headers={"Accept": accept}).mimetype == media_type


def test_all_types_are_listed(web: Web) -> None:
    page = web.get("/problems").text
    assert all(f'href="/problems/{code}"' in page for code in errors.BY_CODE)


@pytest.mark.parametrize("path", ["/problems/no_such_code", "/problems/<script>", "/problems/gone/more"])
def test_what_is_no_type_is_not_found(web: Web, problem: Check, path: str) -> None:
    problem(web.get(path), 404, "not_found")
