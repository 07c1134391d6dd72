"""``GET /api/jobs``: each client sees its own jobs, newest first, each once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from backend.flows.maintenance import Janitor
from tests.fakes.samples import image
from tests.unit.web.conftest import Web

Check = Callable[[TestResponse, int, str], dict[str, Any]]
Make = Callable[..., Web]
FAR = {"REMOTE_ADDR": "203.0.113.7"}


@pytest.fixture
def ready(web: Web) -> Web:
    web.here.duties.begin_epoch("worker")
    return web


def ids(response: TestResponse) -> list[str]:
    assert response.status_code == 200, response.text
    body: Any = response.json
    return [each["id"] for each in body["jobs"]]


def test_jobs_are_listed_newest_first_as_they_are_shown_alone(ready: Web) -> None:
    made = [ready.upload()["id"] for _ in range(3)]
    response = ready.get("/api/jobs")
    assert ids(response) == made[::-1]
    assert response.json["jobs"][0] == ready.get(f"/api/jobs/{made[-1]}").json  # type: ignore[index]
    assert response.json["next"] is None and "Link" not in response.headers  # type: ignore[index]
    assert response.headers["Cache-Control"] == "private, no-store"


def test_pages_show_every_job_once_while_others_are_made_and_erased(ready: Web) -> None:
    made = [ready.upload()["id"] for _ in range(7)]
    seen: list[str] = []
    address = "/api/jobs?limit=2"
    while address:
        response = ready.get(address)
        seen += ids(response)
        ready.upload()
        link = re.fullmatch(r'<(.+)>; rel="next"', response.headers.get("Link", ""))
        assert (response.json["next"] or "") == (link[1] if link else "")  # type: ignore[index]
        address = link[1] if link else ""
        ready.delete(f"/api/jobs/{seen[-1]}")
    assert seen == made[::-1]


def test_a_list_can_be_narrowed_to_states(ready: Web) -> None:
    done = ready.finished()["id"]
    stopped = ready.upload()["id"]
    ready.post(f"/api/jobs/{stopped}/cancel")
    waiting = ready.upload()["id"]
    assert ids(ready.get("/api/jobs?state=succeeded")) == [done]
    assert ids(ready.get("/api/jobs?state=succeeded,queued")) == [waiting, done]
    assert ids(ready.get("/api/jobs?state=cancelled&state=queued&limit=1")) == [waiting]
    following = ready.get("/api/jobs?state=cancelled&state=queued&limit=1").json["next"]  # type: ignore[index]
    assert ids(ready.get(following)) == [stopped]
    assert ids(ready.get("/api/jobs?state=failed")) == []


@pytest.mark.parametrize(
    ("query", "option", "suggestion"),
    [
        ("limit=0", "limit", "1"),
        ("limit=201", "limit", "200"),
        ("limit=ten", "limit", None),
        ("limit=-1", "limit", "1"),
        ("limit=1&limit=2", "limit", None),
        ("state=succeded", "state", "succeeded"),
        ("state=DONE", "state", "succeeded"),
        ("state=pending", "state", "queued"),
        ("state=zzz", "state", None),
        ("colour=red", "colour", None),
        ("sate=failed", "sate", "state"),
        ("cursor=nonsense", "cursor", None),
        ("cursor=!!!", "cursor", None),
        ("cursor=%F0%9F%98%80", "cursor", None),
    ],
)
def test_what_cannot_be_asked_for_is_told(ready: Web, problem: Check, query: str, option: str, suggestion: str | None) -> None:
    body = problem(ready.get(f"/api/jobs?{query}"), 422, "invalid_option")
    assert (body["option"], body.get("suggestion")) == (option, suggestion)


def test_with_keys_each_lists_its_own_and_nobody_lists_without(make_web: Make, problem: Check) -> None:
    web = make_web(keys=("key-of-one", "key-of-two"))
    web.here.duties.begin_epoch("worker")
    one, two = {"Authorization": "Bearer key-of-one"}, {"X-API-Key": "key-of-two"}
    first = web.post("/api/jobs", data=image(), headers=one).json["id"]  # type: ignore[index]
    second = web.post("/api/jobs", data=image(), headers=two).json["id"]  # type: ignore[index]
    assert ids(web.get("/api/jobs", headers=one)) == [first]
    assert ids(web.get("/api/jobs", headers=two)) == [second]
    problem(web.get("/api/jobs"), 401, "unauthorized")
    assert "Set-Cookie" not in web.get("/", headers=one).headers


def test_on_an_open_gateway_a_browser_lists_what_it_made_and_nothing_else(ready: Web) -> None:
    one, other = ready.app.test_client(), ready.app.test_client()
    for client in (one, other):
        client.environ_base["wsgi.input_terminated"] = True
        cookie = client.get("/").headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie
        assert "Set-Cookie" not in client.get("/").headers
    made = one.post("/api/jobs", data=image()).json["id"]  # type: ignore[index]
    assert ids(one.get("/api/jobs")) == [made]
    assert ids(other.get("/api/jobs")) == []
    assert ids(ready.get("/api/jobs")) == []


def test_an_address_that_many_may_share_lists_nothing_without_a_cookie(ready: Web) -> None:
    made = ready.client.post("/api/jobs", data=image(), environ_overrides=FAR)
    assert made.status_code == 202 and "gateway_client=" in made.headers["Set-Cookie"]
    assert ids(ready.client.get("/api/jobs", environ_overrides=FAR)) == [made.json["id"]]  # type: ignore[index]
    stranger = ready.app.test_client()
    assert ids(stranger.get("/api/jobs", environ_overrides=FAR)) == []
    assert ids(ready.app.test_client().get("/api/jobs")) == []


def test_behind_a_proxy_this_machine_is_nobodys_name(ready: Web) -> None:
    ready.upload()
    forwarded = ready.app.test_client().get("/api/jobs", headers={"X-Forwarded-For": "203.0.113.9"})
    assert ids(forwarded) == []


def test_conversions_in_one_request_are_not_listed(ready: Web) -> None:
    ready.encode_at_once()
    assert ready.ask("PUT", "/api/convert", data=image()).status_code == 200
    assert ids(ready.get("/api/jobs")) == []


def test_a_lost_redis_costs_no_line(web: Web, problem: Check) -> None:
    caretaker = Janitor(web.here.context, "worker")
    caretaker.maintain()
    done, waiting = web.finished()["id"], web.upload()["id"]
    web.here.server.lose_everything()
    problem(web.get("/api/jobs"), 503, "backend_unavailable")
    caretaker.maintain()
    assert ids(web.get("/api/jobs")) == [waiting, done]
    assert ids(web.get("/api/jobs?state=succeeded")) == [done]
