"""Who asks: keys, owners, languages, request ids, rates, origins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.fakes.samples import image
from tests.unit.web.conftest import Web

Check = Callable[[TestResponse, int, str], dict[str, Any]]
Make = Callable[..., Web]
ONE, TWO = {"Authorization": "Bearer key-of-one"}, {"X-API-Key": "key-of-two"}
OWNED = [("GET", ""), ("HEAD", ""), ("GET", "/result"), ("GET", "/source"), ("GET", "/events"), ("POST", "/cancel"), ("DELETE", "")]


@pytest.fixture
def locked(make_web: Make) -> Web:
    return make_web(keys=("key-of-one", "key-of-two"))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic key-of-one"},
        {"Authorization": "Bearer"},
        {"X-API-Key": ""},
        {"X-API-Key": "ключ"},
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/api/jobs"), ("PUT", "/api/convert"), ("GET", "/api/jobs/AAAAAAAAAAAAAAAAAAAAAA")])
def test_without_a_key_nothing_is_done(locked: Web, problem: Check, headers: dict[str, str], method: str, path: str) -> None:
    response = locked.ask(method, path, data=image() if method != "GET" else None, headers=headers)
    problem(response, 401, "unauthorized")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="webp-gateway"'
    assert locked.here.store.entries == {}


@pytest.mark.parametrize("path", ["/api/health", "/api/health/live", "/api/capabilities", "/"])
def test_what_tells_nothing_of_jobs_needs_no_key(locked: Web, path: str) -> None:
    assert locked.get(path).status_code in (200, 503)


@pytest.mark.parametrize("headers", [ONE, TWO, {"Authorization": "bearer key-of-one"}])
def test_any_of_the_keys_opens(locked: Web, headers: dict[str, str]) -> None:
    assert locked.post("/api/jobs", data=image(), headers=headers).status_code == 202


@pytest.mark.parametrize(("method", "path"), OWNED)
def test_another_keys_job_looks_exactly_like_no_job(locked: Web, method: str, path: str) -> None:
    job = locked.upload(Authorization="Bearer key-of-one")
    locked.here.encode()
    ids = {"X-Request-Id": "the-same"}
    anothers = locked.ask(method, f"/api/jobs/{job['id']}{path}", headers={**TWO, **ids})
    nobodys = locked.ask(method, f"/api/jobs/AAAAAAAAAAAAAAAAAAAAAA{path}", headers={**TWO, **ids})
    assert anothers.status_code == nobodys.status_code == 404
    assert anothers.data == nobodys.data
    assert dict(anothers.headers) == dict(nobodys.headers)
    assert locked.get(f"/api/jobs/{job['id']}", headers=ONE).status_code == 200


def test_the_key_itself_is_kept_nowhere(locked: Web) -> None:
    job = locked.upload(Authorization="Bearer key-of-one")
    assert "key-of-one" not in locked.here.store.manifest(job["id"]).to_json()
    assert "key-of-one" not in locked.get(f"/api/jobs/{job['id']}", headers=ONE).text


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("zh", "zh-CN"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("zh-TW", "zh-CN"),
        ("ZH-hans", "zh-CN"),
        ("en-GB,zh;q=0.5", "en"),
        ("zh;q=0.3,en;q=0.9", "en"),
        ("qaa,qab;q=0.9", "en"),
        ("qaa,zh;q=0.2", "zh-CN"),
        ("*", "en"),
        ("x" * 3000, "en"),
        (";;;q=,,", "en"),
    ],
)
def test_the_language_is_the_best_of_ours_for_the_reader(web: Web, accepted: str | None, language: str) -> None:
    headers = {} if accepted is None else {"Accept-Language": accepted}
    response = web.get("/api/jobs/AAAAAAAAAAAAAAAAAAAAAA", headers=headers)
    assert response.headers["Content-Language"] == language
    assert response.json is not None and response.json["title"] == {"en": "Not found", "zh-CN": "未找到"}[language]


@pytest.mark.parametrize("path", ["/api/health/live", "/api/jobs/none", "/nothing/here"])
def test_a_request_id_of_the_client_is_kept(web: Web, path: str) -> None:
    assert web.get(path, headers={"X-Request-Id": "abc-123"}).headers["X-Request-Id"] == "abc-123"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "<script>", "ключ"])
def test_a_request_id_that_is_none_is_replaced_by_our_own(web: Web, given: str) -> None:
    headers = {"X-Request-Id": given}
    ids = {web.get("/api/health/live", headers=headers).headers["X-Request-Id"] for _ in range(2)}
    assert len(ids) == 2 and given not in ids


def test_a_request_id_goes_with_the_job_into_its_error(web: Web) -> None:
    from backend import errors
    from tests.fakes.codec import ScriptedCodec

    job = web.upload(X_Request_Id="trace-7")
    web.here.encode(ScriptedCodec(errors.Internal()))
    assert "trace-7" in web.get(f"/api/jobs/{job['id']}").json["error"]["detail"]  # type: ignore[index]


def test_the_rate_is_told_and_held(make_web: Make, problem: Check) -> None:
    web = make_web(web_rules={"rate_limit": (2, 60)})
    remaining = []
    for _ in range(2):
        response = web.post("/api/jobs", data=image())
        assert response.status_code == 202
        assert response.headers["RateLimit-Policy"] == '"default";q=2;w=60'
        remaining.append(response.headers["RateLimit"].split(";")[1])
    assert remaining == ["r=1", "r=0"]
    response = web.post("/api/jobs", data=image())
    problem(response, 429, "rate_limited")
    assert 1 <= int(response.headers["Retry-After"]) <= 60
    assert response.headers["RateLimit"].startswith('"default";r=0;t=')
    problem(web.ask("PUT", "/api/convert", data=image()), 429, "rate_limited")
    web.here.clock.advance(61)
    assert web.post("/api/jobs", data=image()).status_code == 202


def test_looking_is_not_counted(make_web: Make) -> None:
    web = make_web(web_rules={"rate_limit": (1, 60)})
    job = web.upload()
    assert [web.get(f"/api/jobs/{job['id']}").status_code for _ in range(5)] == [200] * 5


def test_clients_are_counted_apart(make_web: Make) -> None:
    web = make_web(web_rules={"rate_limit": (1, 60)})
    for address in ("203.0.113.1", "203.0.113.2"):
        assert web.post("/api/jobs", data=image(), environ_overrides={"REMOTE_ADDR": address}).status_code == 202
    assert web.post("/api/jobs", data=image(), environ_overrides={"REMOTE_ADDR": "203.0.113.1"}).status_code == 429


def test_keys_are_counted_apart_from_addresses(make_web: Make) -> None:
    web = make_web(web_rules={"rate_limit": (1, 60)}, keys=("key-of-one", "key-of-two"))
    assert [web.post("/api/jobs", data=image(), headers=each).status_code for each in (ONE, TWO, ONE)] == [202, 202, 429]


def test_without_redis_nobody_is_counted(make_web: Make) -> None:
    web = make_web(web_rules={"rate_limit": (1, 60)})
    web.here.server.is_down = True
    assert [web.post("/api/jobs", data=image()).status_code for _ in range(3)] == [202] * 3


def test_without_a_limit_no_rate_is_told(web: Web) -> None:
    response = web.post("/api/jobs", data=image())
    assert "RateLimit" not in response.headers and "RateLimit-Policy" not in response.headers


FRIEND, STRANGER = "https://friend.example", "https://stranger.example"


@pytest.fixture
def open_to_friends(make_web: Make) -> Web:
    return make_web(web_rules={"allowed_origins": (FRIEND,)})


def test_only_named_origins_may_read_answers(open_to_friends: Web) -> None:
    friend = open_to_friends.get("/api/health/live", headers={"Origin": FRIEND})
    stranger = open_to_friends.get("/api/health/live", headers={"Origin": STRANGER})
    assert friend.headers["Access-Control-Allow-Origin"] == FRIEND
    assert "Location" in friend.headers["Access-Control-Expose-Headers"]
    assert friend.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Access-Control-Allow-Origin" not in stranger.headers
    assert stranger.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    for response in (friend, stranger):
        assert "Origin" in response.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in response.headers


def test_a_named_origin_may_ask_beforehand(open_to_friends: Web) -> None:
    headers = {"Origin": FRIEND, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    response = open_to_friends.ask("OPTIONS", "/api/jobs", headers=headers)
    assert response.status_code == 204
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert response.headers["Access-Control-Allow-Headers"] == "authorization"
    stranger = open_to_friends.ask("OPTIONS", "/api/jobs", headers={**headers, "Origin": STRANGER})
    assert "Access-Control-Allow-Origin" not in stranger.headers


def test_errors_can_be_read_by_named_origins_too(open_to_friends: Web) -> None:
    assert open_to_friends.get("/api/jobs/none", headers={"Origin": FRIEND}).headers["Access-Control-Allow-Origin"] == FRIEND


def test_by_default_no_origin_may(web: Web) -> None:
    assert not [name for name, _ in web.get("/api/health/live", headers={"Origin": FRIEND}).headers if name.startswith("Access-Control")]


SHOWN_BY_ELEMENTS = ("result", "source")


def test_results_may_be_shown_by_other_sites_only_where_any_may_call(open_to_friends: Web, web: Web) -> None:
    """An ``<img>`` sends no ``Origin``."""
    for gateway, policy in ((open_to_friends, "cross-origin"), (web, "same-origin")):
        own = f"/api/jobs/{gateway.finished()['id']}"
        for name in SHOWN_BY_ELEMENTS:
            first = gateway.get(f"{own}/{name}")
            again = gateway.get(f"{own}/{name}", headers={"If-None-Match": first.headers["ETag"]})
            part = gateway.get(f"{own}/{name}", headers={"Range": "bytes=0-3"})
            assert [(each.status_code, each.headers["Cross-Origin-Resource-Policy"]) for each in (first, again, part)] == [
                (200, policy),
                (304, policy),
                (206, policy),
            ]
        for path in (own, "/", "/static/js/main.js", "/api/capabilities"):
            assert gateway.get(path).headers["Cross-Origin-Resource-Policy"] == "same-origin"


HEADERS_OF_CLIENTS = (
    "authorization",
    "content-type",
    "idempotency-key",
    "prefer",
    "tus-resumable,upload-length,upload-metadata",
    "x-http-method-override",
    "x-requested-with",
)


@pytest.mark.parametrize("asked", HEADERS_OF_CLIENTS)
@pytest.mark.parametrize(("path", "status"), [("/api/jobs", 204), ("/api/uploads", 200)])
def test_a_named_origin_may_send_the_headers_that_clients_send(open_to_friends: Web, path: str, status: int, asked: str) -> None:
    """tus answers every ``OPTIONS`` with 200."""
    headers = {"Origin": FRIEND, "Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": asked}
    response = open_to_friends.ask("OPTIONS", path, headers=headers)
    assert (response.status_code, response.headers["Access-Control-Allow-Headers"]) == (status, asked)
    assert "PATCH" in response.headers["Access-Control-Allow-Methods"]


def test_a_gateway_in_a_private_network_may_be_asked_by_a_named_origin(open_to_friends: Web) -> None:
    headers = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Private-Network": "true"}
    friend = open_to_friends.ask("OPTIONS", "/api/jobs", headers={**headers, "Origin": FRIEND})
    stranger = open_to_friends.ask("OPTIONS", "/api/jobs", headers={**headers, "Origin": STRANGER})
    assert friend.headers["Access-Control-Allow-Private-Network"] == "true"
    assert "Access-Control-Allow-Private-Network" not in stranger.headers
