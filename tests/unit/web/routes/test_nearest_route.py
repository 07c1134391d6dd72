"""Addresses that there are not: the one that was meant is named, and no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from backend import texts
from tests.unit.web.conftest import Web

Check = Callable[[TestResponse, int, str], dict[str, Any]]
ID = "x" * 22


@pytest.mark.parametrize(
    ("method", "path", "meant"),
    [
        ("GET", "/api/job", "/api/jobs"),
        ("POST", "/jobs", "/api/jobs"),
        ("POST", "/upload", "/api/jobs"),
        ("POST", "/api/upload", "/api/jobs"),
        ("POST", "/api/images", "/api/jobs"),
        ("POST", "/convert", "/api/convert"),
        ("POST", "/api/v1/convert", "/api/convert"),
        ("POST", "/v2/jobs", "/api/jobs"),
        ("POST", "/api//jobs", "/api/jobs"),
        ("POST", "/API/Jobs", "/api/jobs"),
        ("GET", f"/api/job/{ID}", f"/api/jobs/{ID}"),
        ("GET", f"/jobs/{ID}/result", f"/api/jobs/{ID}/result"),
        ("GET", f"/api/jobs/{ID}/results", f"/api/jobs/{ID}/result"),
        ("GET", f"/api/jobs/{ID}/event", f"/api/jobs/{ID}/events"),
        ("GET", f"/api/batch/{ID}/archive.zip", f"/api/batches/{ID}/archive.zip"),
        ("GET", "/docs", "/api/docs"),
        ("GET", "/api", "/api/docs"),
        ("GET", "/api/", "/api/docs"),
        ("GET", "/swagger.json", "/api/openapi.json"),
        ("GET", "/openapi.json", "/api/openapi.json"),
        ("GET", "/healthz", "/api/health"),
        ("GET", "/health/live", "/api/health/live"),
        ("GET", "/capabilites", "/api/capabilities"),
        ("GET", "/metric", "/metrics"),
        ("GET", "/STATUS", "/status"),
        ("GET", "/index.html", "/"),
    ],
)
def test_the_address_that_was_meant_is_named(web: Web, problem: Check, method: str, path: str, meant: str) -> None:
    """It said “It may have been deleted, or have expired.”"""
    body = problem(web.ask(method, path), 404, "not_found")
    assert body["suggestion"] == meant and f"{meant}?" in body["detail"] and "deleted" not in body["detail"]
    assert meant in problem(web.ask(method, path, headers={"Accept-Language": "zh"}), 404, "not_found")["detail"]


@pytest.mark.parametrize("path", ["/robots.txt", "/wp-login.php", "/.env", "/static/nothing.js", "/static/", "/a/b/c/d", "/" + "a/" * 2000, "/xyzzy"])
def test_what_resembles_nothing_gets_no_suggestion(web: Web, problem: Check, path: str) -> None:
    body = problem(web.get(path), 404, "not_found")
    assert "suggestion" not in body and "/api/docs" in body["detail"] and len(body["detail"]) < 400


@pytest.mark.parametrize("path", ["/cat.jpg", "/api/convrt/cat.jpg", "/images/cat.jpg"])
def test_curl_t_adds_the_files_name_to_a_slash(web: Web, problem: Check, path: str) -> None:
    body = problem(web.ask("PUT", path, data=b"x"), 404, "not_found")
    assert "curl -T adds the file’s name" in body["detail"] and "/api/convert -o cat.webp”" in body["detail"]


@pytest.mark.parametrize("path", ["/api/jobs/{}", "/api/jobs/{}/result", "/api/batches/{}"])
def test_an_id_that_was_cut_is_told_from_one_that_is_unknown(web: Web, problem: Check, path: str) -> None:
    cut, unknown = (problem(web.get(path.format(each)), 404, "not_found")["detail"] for each in ("x" * 21, ID))
    assert "22 letters" in cut and "21 characters" in cut
    assert "22" not in unknown and "expired" in unknown
    job = web.upload()["id"]
    web.delete(f"/api/jobs/{job}")
    assert problem(web.get(f"/api/jobs/{job}"), 404, "not_found")["detail"] == problem(web.get(f"/api/jobs/{ID}"), 404, "not_found")["detail"]


def test_behind_a_prefix_the_address_has_it(web: Web) -> None:
    behind: Any = {"environ_overrides": {"SCRIPT_NAME": "/images", "wsgi.input_terminated": True}}
    assert web.get("/api/job", **behind).json["suggestion"] == "/images/api/jobs"  # type: ignore[index]
    assert web.get("/status/", **behind).json["suggestion"] == "/images/status"  # type: ignore[index]


def test_what_a_path_holds_stays_text(web: Web) -> None:
    answer = web.get("/%0d%0aSet-Cookie:%20a=b%00{detail}%7B0%7D")
    assert "\r" not in answer.json["detail"] and "{0}" in answer.json["detail"]  # type: ignore[index]
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("language", texts.languages())
def test_a_person_gets_the_address_as_a_button(web: Web, language: str) -> None:
    page = web.get("/statu", headers={"Accept": "text/html", "Accept-Language": language}).text
    assert 'href="/status"' in page
