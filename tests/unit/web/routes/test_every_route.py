"""What every route shares, and the small resources: health, capabilities, the page."""

from __future__ import annotations

import html
import re
import string
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from backend import errors, texts
from backend.core import formats, options
from backend.web.response import page_texts
from backend.web.routes import health
from tests.fakes.samples import image
from tests.unit.web.conftest import FRONTEND, Web

Check = Callable[[TestResponse, int, str], dict[str, Any]]
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
POLICIES = {
    **dict.fromkeys(("result", "part", "source", "converted"), "default-src 'none'; sandbox"),
    **dict.fromkeys(("page", "script", "icon"), "default-src 'self'"),
}


def every_answer(web: Web) -> dict[str, TestResponse]:
    job = web.finished()
    own = f"/api/jobs/{job['id']}"
    web.encode_at_once()
    return {
        "page": web.get("/"),
        "script": web.get("/static/js/main.js"),
        "icon": web.get("/favicon.ico"),
        "job": web.get(own),
        "not modified": web.get(own, headers={"If-None-Match": f'W/"{job["seq"]}"'}),
        "result": web.get(f"{own}/result"),
        "part": web.get(f"{own}/result", headers={"Range": "bytes=0-3"}),
        "beyond": web.get(f"{own}/result", headers={"Range": "bytes=99999-"}),
        "source": web.get(f"{own}/source"),
        "events": web.get(f"{own}/events"),
        "accepted": web.post("/api/jobs", data=image()),
        "converted": web.ask("PUT", "/api/convert", data=image()),
        "refused": web.post("/api/jobs", data=b"text"),
        "conflict": web.post(f"{own}/cancel"),
        "capabilities": web.get("/api/capabilities"),
        "health": web.get("/api/health"),
        "live": web.get("/api/health/live"),
        "options": web.ask("OPTIONS", "/api/jobs"),
        "wrong method": web.ask("PATCH", "/api/jobs"),
        "nothing": web.get("/nothing/here"),
        "no static": web.get("/static/nothing.js"),
        "erased": web.delete(own),
    }


def test_every_answer_has_the_headers_that_keep_browsers_from_harm(web: Web) -> None:
    for name, response in every_answer(web).items():
        for header, value in SECURITY.items():
            assert response.headers.get(header) == value, (name, header)
        assert response.headers["X-Request-Id"], name
        policy = response.headers["Content-Security-Policy"]
        assert policy.startswith(POLICIES.get(name, "default-src 'none'; base-uri 'none'")), name
        assert "unsafe" not in policy, name


def test_every_answer_that_is_no_success_is_a_problem(web: Web) -> None:
    answers = every_answer(web)
    failed = {name: response for name, response in answers.items() if response.status_code >= 400 and name != "health"}
    assert set(failed) == {"beyond", "refused", "conflict", "wrong method", "nothing", "no static"}
    assert {response.content_type for response in failed.values()} == {"application/problem+json"}


def test_a_route_that_breaks_says_nothing_of_why(web: Web, problem: Check, caplog: pytest.LogCaptureFixture) -> None:
    def breaks() -> None:
        raise RuntimeError("/etc/secret is broken")

    web.app.add_url_rule("/breaks", view_func=breaks)
    response = web.get("/breaks", headers={"X-Request-Id": "find-me"})
    body = problem(response, 500, "internal")
    assert "find-me" in body["detail"]
    assert "secret" not in response.text and "Traceback" not in response.text
    assert "/etc/secret is broken" in caplog.text and caplog.records[-1].__dict__["fields"] == {"request": "find-me"}
    for name, value in SECURITY.items():
        assert response.headers[name] == value


@pytest.mark.parametrize("language", texts.languages())
@pytest.mark.parametrize("key", [key for key in texts.sentences("en") if key.startswith("errors.") and key.endswith(".detail")])
def test_every_error_reaches_the_reader_whole_and_in_both_languages(web: Web, problem: Check, key: str, language: str) -> None:
    code, variant = key.split(".")[1], ".".join(key.split(".")[2:-1])
    kind = errors.BY_CODE[code]
    detail = texts.sentences("en")[key]
    filled = {name: 7 for _, name, _, _ in string.Formatter().parse(detail) if name and name not in ("request_id", "retry_after_s")}

    def fails() -> None:
        raise kind(variant, private="/etc/secret", retry_after_s=7, **filled)

    web.app.add_url_rule("/fails", view_func=fails)
    response = web.get("/fails", headers={"Accept-Language": language})
    body = problem(response, kind.status, code)
    assert body["title"] == texts.sentences(language).get(key.replace(".detail", ".title"), texts.text(f"errors.{code}.title", language))
    assert response.headers["Content-Language"] == language
    assert "secret" not in response.text
    assert ("Retry-After" in response.headers) and not re.search(r"{\w*}", body["detail"])


@pytest.mark.parametrize(
    ("method", "path"), [("PATCH", "/api/jobs"), ("POST", "/api/capabilities"), ("GET", "/api/convert"), ("DELETE", "/api/health")]
)
def test_a_method_that_is_not_possible_is_told_with_those_that_are(web: Web, problem: Check, method: str, path: str) -> None:
    response = web.ask(method, path)
    body = problem(response, 405, "method_not_allowed")
    assert response.headers["Allow"]
    for allowed in response.headers["Allow"].split(", "):
        assert allowed in body["detail"]
    assert method in body["detail"] and method not in response.headers["Allow"].split(", ")


@pytest.mark.parametrize("path", ["/nothing", "/api", "/api/job", "/static/../backend/app.py", "/static/%2e%2e/run.py", "/static/", "/static"])
def test_what_is_not_there_is_not_found(web: Web, problem: Check, path: str) -> None:
    problem(web.get(path), 404, "not_found")


def test_all_is_well_when_redis_store_and_an_encoder_are_within_reach(web: Web) -> None:
    web.here.presence.heartbeat("a", {"pid": 7, "seal": {"level": 3}}, 60)
    web.upload()
    for path in ("/api/health", "/api/health/ready"):
        response = web.get(path)
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "no-store"
        assert response.json is not None
        assert (response.json["status"], response.json["version"]) == ("ok", "1.2.3")
        assert response.json["parts"] == {"redis": "ok", "store": "ok", "encoders": "ok"}
        assert response.json["queue"] == {"queued": 1, "running": 0}
        assert response.json["encoders"] == {"count": 1, "busy": 0, "seal": {"level": 3}}


@pytest.mark.parametrize(
    ("broken", "failing"), [("redis", ["redis", "encoders"]), ("store", ["store"]), ("disk", ["store"]), ("encoders", ["encoders"])]
)
def test_what_fails_is_named(web: Web, broken: str, failing: list[str]) -> None:
    if broken != "encoders":
        web.here.presence.heartbeat("a", {}, 60)
    web.here.server.is_down, web.here.store.is_down, web.here.store.is_full = broken == "redis", broken == "store", broken == "disk"
    response = web.get("/api/health")
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 1
    assert response.json is not None
    assert (response.json["status"], response.json["failing"]) == ("unavailable", failing)
    assert web.get("/api/health/live").status_code == 200


def test_a_store_that_hangs_is_named_in_time(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a network disk does. The check goes on; the answer does not wait for it."""
    web.here.presence.heartbeat("a", {}, 60)
    released = threading.Event()
    monkeypatch.setattr(health, "ANSWER_WITHIN_S", 0.1)
    monkeypatch.setattr(web.here.store, "check", lambda: released.wait(30) and None)
    response = web.get("/api/health")
    released.set()
    assert response.status_code == 503
    assert response.json is not None and response.json["parts"] == {"redis": "ok", "store": "timeout", "encoders": "ok"}


def test_health_adds_what_the_process_says_of_itself(make_web: Callable[..., Web]) -> None:
    web = make_web(web_rules={"process_health": lambda: {"loop_delay_ms": 0.4}})
    assert web.get("/api/health/live").json["loop_delay_ms"] == 0.4  # type: ignore[index]


def test_capabilities_tell_what_is_taken_and_how_much(make_web: Callable[..., Web]) -> None:
    web = make_web(web_rules={"max_files": 5}, rules={"max_queued_jobs": 9, "retention_s": 77})
    known: Any = web.get("/api/capabilities").json
    assert [each["name"] for each in known["formats"]] == [each.name for each in formats.READABLE]
    assert known["limits"] == {
        "upload_bytes": 64 << 20,
        "pixels": 50_000_000,
        "frames": 256,
        "side_pixels": 16_383,
        "files_per_request": 5,
        "queued_jobs": 9,
        "client_jobs": 500,
        "client_bytes_per_day": 20 << 30,
        "client_uploads": 200,
        "pending_webhooks": 10_000,
    }
    assert known["options"] == options.schema()
    assert (known["version"], known["retention_s"], known["auth"]) == ("1.2.3", 77, False)
    assert make_web(keys=("key-of-one",)).get("/api/capabilities").json["auth"] is True  # type: ignore[index]


def test_capabilities_are_asked_again_by_their_etag(web: Web) -> None:
    etag = web.get("/api/capabilities").headers["ETag"]
    assert web.get("/api/capabilities", headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize(("accepted", "language"), [("en", "en"), ("zh-CN", "zh-CN")])
def test_the_page_begins_in_the_readers_language(web: Web, accepted: str, language: str) -> None:
    response = web.get("/", headers={"Accept-Language": accepted})
    assert response.status_code == 200
    assert f'<html lang="{language}"' in response.text
    assert response.headers["Vary"] == "Accept-Language, Cookie"
    assert web.get("/", headers={"Accept-Language": accepted, "If-None-Match": response.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("path", ["/", "/status"])
def test_every_text_of_a_page_is_in_the_readers_language(web: Web, path: str) -> None:
    page = web.get(path, headers={"Accept-Language": "zh-CN"}).text
    catalog = page_texts.catalog(FRONTEND, "zh-CN")
    shown = dict(re.findall(r'data-t="([^"]+)"[^<>]*>([^<]*)', page))
    assert len(shown) > 20 and {key: html.unescape(text) for key, text in shown.items()} == {key: catalog[key] for key in shown}
@pytest.mark.parametrize("path", ["/", "/status", "/api/docs"])
@pytest.mark.parametrize("accepted", ["en", "zh-CN"])
def test_every_page_offers_the_languages_of_the_folder(web: Web, path: str, accepted: str) -> None:
    page = web.get(path, headers={"Accept-Language": accepted}).text
    listed = re.search(r'<html lang="([^"]+)" data-languages="([^"]*)"', page)
    assert listed is not None
    assert (listed[1], listed[2].split()) == (accepted, sorted(file.stem for file in (FRONTEND / "i18n").iterdir()))


def test_a_language_is_offered_because_its_file_is_there(tmp_path: Path) -> None:
    (tmp_path / "i18n").mkdir()
    for name in ("zh-CN.json", "de.json", "en.json", "README.md"):
        (tmp_path / "i18n" / name).touch()
    assert page_texts.languages(tmp_path) == ("de", "en", "zh-CN")


def test_the_pages_files_are_always_asked_again(web: Web) -> None:
    response = web.get("/static/js/main.js")
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-cache")
    assert "javascript" in response.headers["Content-Type"]
    assert web.get("/static/js/main.js", headers={"If-None-Match": response.headers["ETag"]}).status_code == 304
    assert web.get("/favicon.ico").content_type.startswith("image/svg+xml")
