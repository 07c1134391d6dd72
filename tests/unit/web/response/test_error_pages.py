"""An error for a person in a browser: a page like the others, in the reader's language, where a program gets its problem in JSON."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from backend.core.host_names import allowed_hosts
from backend.web.request import admission
from tests.unit.web.conftest import Web

Check = Callable[[TestResponse, int, str], dict[str, Any]]
CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
PROGRAMS = [
    *("*/*", "", "application/json", "application/json, text/plain, */*"),
    *("text/html;q=0.5,application/json", "image/webp,*/*;q=0.8", "text/html;q=0,*/*"),
]


def ways(page: str) -> list[str]:
    return re.findall(r'class="button[^"]*" href="([^"]+)"', page)


@pytest.mark.parametrize("accept", [CHROMIUM, FIREFOX, "text/html", "text/html;charset=utf-8", "text/*", "application/json;q=0.9,text/html"])
def test_a_browser_that_opens_an_unknown_address_gets_a_page(web: Web, accept: str) -> None:
    answer = web.get("/no/such/page", headers={"Accept": accept})
    assert (answer.status_code, answer.content_type) == (404, "text/html; charset=utf-8")
    assert "/no/such/page" in answer.text and 'href="/problems/not_found"' in answer.text and ways(answer.text)[0] == "/"
    assert (answer.headers["Cache-Control"], answer.headers["Vary"]) == ("no-store", "Accept, Accept-Language, Cookie")


@pytest.mark.parametrize(("asked", "nearest"), [("/api/job", "/api/jobs"), ("/statsu", "/status"), ("/api/convret", "/api/docs"), ("/zzzz", "/")])
def test_the_first_button_leads_to_the_nearest_page_that_a_browser_can_open(web: Web, asked: str, nearest: str) -> None:
    assert ways(web.get(asked, headers={"Accept": CHROMIUM}).text)[0] == nearest


@pytest.mark.parametrize("accept", PROGRAMS)
def test_a_program_gets_json_as_before(web: Web, problem: Check, accept: str) -> None:
    problem(web.get("/no/such/page", headers={"Accept": accept}), 404, "not_found")


def test_a_deleted_result_says_so_on_a_page_that_leads_to_the_first_one(web: Web) -> None:
    job = web.finished()
    web.delete(f"/api/jobs/{job['id']}")
    answer = web.get(job["links"]["result"], headers={"Accept": CHROMIUM, "Accept-Language": "zh-CN"})
    assert answer.status_code == 404 and '<html lang="zh-CN"' in answer.text and {"/", "/api/docs"} == set(ways(answer.text))


@pytest.mark.parametrize(("method", "path", "status"), [("POST", "/status", 405), ("GET", "/api/convert", 405), ("POST", "/api/jobs", 422)])
def test_what_a_form_does_wrong_is_told_on_a_page(web: Web, method: str, path: str, status: int) -> None:
    answer = web.ask(method, path, headers={"Accept": CHROMIUM})
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert status != 405 or answer.headers["Allow"]


def test_a_missing_key_is_told_on_a_page(make_web: Callable[..., Web]) -> None:
    answer = make_web(keys=("secret",)).get("/metrics", headers={"Accept": CHROMIUM})
    assert (answer.status_code, answer.mimetype) == (401, "text/html") and answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_wrong_host_gets_a_page_that_loads_nothing(make_web: Callable[..., Web]) -> None:
    """Under a wrong name every other file is refused too, the style sheets among them."""
    web = make_web(admission_rules=admission.Rules(allowed_hosts(("localhost",))))
    answer = web.get("/", headers={"Accept": CHROMIUM, "Host": "evil.example"})
    assert (answer.status_code, answer.mimetype) == (421, "text/html") and "evil.example" in answer.text
    assert re.findall(r'(?:src|href)="(?!data:,)', answer.text) == []
    style = re.search("<style>(.*)</style>", answer.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in answer.headers["Content-Security-Policy"]


def test_the_chosen_language_counts_more_than_the_browsers(web: Web) -> None:
    chosen = {"Accept": CHROMIUM, "Accept-Language": "en"}
    web.client.set_cookie("gateway_language", "zh-CN")
    for path in ("/", "/status", "/api/docs", "/problems", "/problems/gone", "/nowhere"):
        page = web.get(path, headers=chosen).text
        assert '<html lang="zh-CN"' in page and "错误说明</a>" in page, path
    assert web.get("/nowhere", headers={**chosen, "Accept": "*/*"}).headers["Content-Language"] == "en"
    web.client.set_cookie("gateway_language", "xx")
    assert '<html lang="en"' in web.get("/nowhere", headers=chosen).text


@pytest.mark.parametrize("place", ["/", "/status", "/api/docs", "/problems"])
def test_one_header_leads_to_the_four_places_and_marks_the_present_one(web: Web, place: str) -> None:
    page = web.get(place).text
    places = re.findall(r'<a href="([^"]+)"( aria-current="page")? data-t="header', page)
    assert places == [(each, ' aria-current="page"' if each == place else "") for each in ("/", "/status", "/api/docs", "/problems")]
    assert re.findall(r'href="/plain/language/([^"]+)"', page) == ["en", "zh-CN"]


def test_every_page_has_the_same_header(web: Web) -> None:
    def header(path: str) -> str:
        page = web.get(path, headers={"Accept": CHROMIUM}).text
        return page[page.index("<header") : page.index("</header>")].replace(' aria-current="page"', "")

    assert len({header(path) for path in ("/", "/status", "/api/docs", "/problems", "/problems/gone", "/nowhere", "/plain/jobs/x")}) == 1


@pytest.mark.parametrize(
    ("referrer", "back"),
    [
        ("http://localhost/problems?x=1", "/problems?x=1"),
        ("http://evil.example/problems", "/"),
        ("http://localhost//evil.example/", "/"),
        ("http://localhost/\\\\evil.example/", "/"),
        ("", "/"),
    ],
)
def test_without_scripts_a_link_chooses_the_language_and_leads_back(web: Web, referrer: str, back: str) -> None:
    answer = web.get("/plain/language/zh-CN", headers={"Referer": referrer})
    assert (answer.status_code, answer.headers["Location"]) == (303, back)
    assert "gateway_language=zh-CN" in answer.headers["Set-Cookie"]
    assert web.get("/plain/language/tlh").status_code == 404
