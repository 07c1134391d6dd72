"""Who may ask at all, on every route: by the host that a request names, and by the page that it comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from backend.core.host_names import allowed_hosts
from backend.web.request.admission import Rules
from backend.web.routes import operations
from tests.fakes.samples import image
from tests.unit.web.conftest import Web

Make = Callable[..., Web]
Check = Callable[[TestResponse, int, str], dict[str, Any]]
EVIL, FRIEND = "https://evil.example", "https://friend.example"
TUS = {"Tus-Resumable": "1.0.0"}
ROUTES = [(each.method, each.path) for each in operations()]
OTHERS = [("POST", "/"), *(("GET", path) for path in ("/", "/status", "/static/js/main.js", "/metrics", "/problems", "/nothing"))]
PLAIN = [("GET", "/plain/jobs/1"), ("POST", "/plain/jobs/1/cancel"), ("POST", "/plain/batches/1/cancel")]
CHANGING = [(method, path) for method, path in (*ROUTES, *OTHERS, *PLAIN) if method not in ("GET", "HEAD", "OPTIONS")]
LIVE = [(method, path) for method, path in ROUTES if path.endswith(("/events", "/ws"))] + [("GET", "/socket.io/?EIO=4&transport=polling")]
FOREIGN = (
    {"Sec-Fetch-Site": "cross-site", "Origin": EVIL},
    {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:8000"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Origin": EVIL},
    {"Origin": "null"},
    {"Origin": "http://localhost:8000"},
)


@pytest.mark.parametrize(("method", "path"), [*ROUTES, *OTHERS, *PLAIN, ("GET", "/socket.io/?EIO=4"), ("OPTIONS", "/api/jobs")])
def test_no_route_answers_under_a_name_that_was_not_admitted(web: Web, method: str, path: str) -> None:
    response = web.ask(method, path.replace("{", "").replace("}", ""), headers={"Host": "evil.example:5000", **TUS})
    assert response.status_code == 421
    if method != "HEAD":
        assert "evil.example:5000" in response.text and "GATEWAY_ALLOWED_HOSTS" in response.text
    assert response.headers["X-Request-Id"] and response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in response.headers


def test_the_answer_to_a_wrong_name_is_a_problem_in_the_readers_language(web: Web, problem: Check) -> None:
    body = problem(web.get("/", headers={"Host": "evil.example", "Accept-Language": "zh-CN"}), 421, "wrong_host")
    assert "主机" in body["title"]


@pytest.mark.parametrize("host", ["x" * 4000, "e\x00vil", "évil.example", "<script>", "a b", "{host}", "localhost,evil"])
def test_a_name_that_is_none_is_shown_short_and_printable(web: Web, problem: Check, host: str) -> None:
    response = web.ask("GET", "/api/jobs", environ_overrides={"HTTP_HOST": host})
    body = problem(response, 421, "wrong_host")
    assert len(body["detail"]) < 300 and body["detail"].replace("“", "").replace("”", "").isascii()


def test_a_client_that_names_no_host_is_answered(web: Web) -> None:
    """HTTP/1.0 asks for none, and old health checks speak it. A browser always names one."""
    web.client.environ_base["HTTP_HOST"] = ""
    assert web.ask("GET", "/api/health/live", environ_overrides={"HTTP_HOST": ""}).status_code == 200


@pytest.mark.parametrize("sent", FOREIGN)
@pytest.mark.parametrize(("method", "path"), CHANGING + LIVE)
def test_a_page_of_another_site_changes_nothing_and_holds_nothing_open(web: Web, method: str, path: str, sent: dict[str, str]) -> None:
    response = web.ask(method, path.replace("{", "").replace("}", ""), headers={**sent, **TUS})
    assert response.status_code == 403, response.text
    if method != "HEAD":
        assert "GATEWAY_ALLOWED_ORIGINS" in response.text
    assert not [name for name, _ in response.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("sent", FOREIGN)
@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/plain", "image/png", ""])
def test_no_form_of_another_site_makes_a_job(web: Web, sent: dict[str, str], content_type: str) -> None:
    for path in ("/api/jobs", "/api/convert", "/"):
        assert web.post(path, data=image(), headers={**sent, "Content-Type": content_type}).status_code == 403
    assert (web.here.store.entries, web.here.store.incoming) == ({}, set())


@pytest.mark.parametrize("meant", ["PATCH", "DELETE", "delete", " DELETE "])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_a_method_that_is_overridden_counts(web: Web, method: str, meant: str) -> None:
    headers = {"X-HTTP-Method-Override": meant, "Origin": EVIL, **TUS}
    assert web.ask(method, "/api/uploads/1", headers=headers).status_code == 403


OURS: list[dict[str, str]] = [
    {},
    {"Origin": "http://localhost"},
    {"Origin": "https://localhost"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "cross-site", "Origin": FRIEND},
    {"Origin": FRIEND},
]


@pytest.mark.parametrize("sent", OURS)
def test_our_own_pages_other_clients_and_admitted_pages_do_as_ever(make_web: Make, sent: dict[str, str]) -> None:
    web = make_web(web_rules={"allowed_origins": (FRIEND,)}, admission_rules=Rules(allowed_hosts(()), frozenset((FRIEND,))))
    made = web.post("/api/jobs", data=image(), headers=sent)
    assert made.status_code == 202
    own = f"/api/jobs/{made.json['id']}"  # type: ignore[index]
    assert web.get(f"{own}/ws", headers=sent).status_code == 400, "not a WebSocket, and nothing worse"
    assert web.post(f"{own}/cancel", headers=sent).status_code == 200
    assert web.delete(own, headers=sent).status_code == 204


def test_a_page_without_tls_may_not_change_what_is_behind_tls(make_web: Make) -> None:
    rules = Rules(allowed_hosts(("images.example",)), frozenset(("https://images.example",)), "https://images.example")
    web = make_web(admission_rules=rules)
    for origin, status in (("https://images.example", 404), ("http://images.example", 403)):
        headers = {"Host": "images.example", "Origin": origin}
        assert web.post("/api/jobs/1/cancel", headers=headers).status_code == status
    for scheme, status in (("https", 403), ("wss", 403), ("http", 404)):
        headers = {"Host": "localhost", "Origin": "http://localhost"}
        assert web.post("/api/jobs/1/cancel", headers=headers, environ_overrides={"wsgi.url_scheme": scheme}).status_code == status


def test_reading_is_left_to_the_browser(web: Web) -> None:
    """It shows the answer to no foreign page: no header allows that."""
    web.here.duties.begin_epoch("worker")
    for sent in FOREIGN:
        response = web.get("/api/jobs", headers=sent)
        assert response.status_code == 200 and response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert not [name for name, _ in response.headers if name.startswith("Access-Control")]
