"""Addresses in answers: below the prefix of a proxy, and whole where a page of another site reads them."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from backend.core.host_names import allowed_hosts
from backend.web.request.admission import Rules
from tests.fakes.samples import image
from tests.unit.web.conftest import Web

BELOW = "http://localhost/images"
FRIEND = "https://friend.example"
Make = Callable[..., Web]


@pytest.fixture
def below(web: Web) -> Callable[..., TestResponse]:
    """Asks as the application is asked behind ``server/path_prefix``."""
    return lambda method, path, **given: web.ask(method, path, base_url=BELOW, **given)


def assert_below(found: object) -> None:
    """No path leads out of ``/images``."""
    paths = re.findall(r'(?<=")/[^"]*', json.dumps(found, ensure_ascii=False))
    assert paths and all(path.startswith("/images/") for path in paths), paths


def test_json_headers_and_problems_lead_below_the_prefix(web: Web, below: Callable[..., TestResponse]) -> None:
    web.here.duties.begin_epoch("worker")
    web.encode_at_once()
    accepted = below("POST", "/api/jobs", data=image())
    job: Any = accepted.json
    assert accepted.headers["Location"] == f"/images/api/jobs/{job['id']}" == job["links"]["self"]
    assert job["url"] == f"/images/api/jobs/{job['id']}/result"
    batch = below("POST", "/api/jobs", data={"file": [(io.BytesIO(image()), "a.png"), (io.BytesIO(image()), "b.png")]})
    assert batch.headers["Location"].startswith("/images/api/batches/")
    listed = below("GET", "/api/jobs?limit=1")
    assert listed.headers["Link"].startswith("</images/api/jobs?")
    refused = below("GET", "/api/nothing")
    for answer in (accepted, batch, listed, refused, below("GET", job["links"]["self"].removeprefix("/images")), below("GET", "/problems/not_found")):
        if answer.content_type.endswith("json"):
            assert_below(answer.json)
    events = below("GET", f"/api/jobs/{job['id']}/events").text
    assert_below(json.loads(re.search(r"data: (.*)", events)[1]))  # type: ignore[index]


def test_an_upload_and_its_job_lie_below_the_prefix(below: Callable[..., TestResponse]) -> None:
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(image())), "Content-Type": "application/offset+octet-stream"}
    made = below("POST", "/api/uploads", data=image(), headers=headers)
    assert made.status_code == 201
    assert made.headers["Location"].startswith("/images/api/uploads/")
    assert made.headers["Link"].startswith("</images/api/jobs/")


@pytest.mark.parametrize("path", ["/", "/status", "/api/docs", "/problems", "/problems/not_found", "/plain/jobs/{job}"])
def test_every_page_leads_below_the_prefix(web: Web, below: Callable[..., TestResponse], path: str) -> None:
    job = web.finished()
    page = below("GET", path.replace("{job}", job["id"])).text
    addresses = re.findall(r'(?:href|src|action)="(/[^"]*)"', page)
    assert addresses and [each for each in addresses if not each.startswith("/images/")] == []
    assert "/images/images/" not in page


def test_the_form_without_scripts_is_led_on_below_the_prefix(below: Callable[..., TestResponse]) -> None:
    sent = below("POST", "/", data={"file": (io.BytesIO(image()), "a.png")})
    assert (sent.status_code, sent.headers["Location"].split("/")[:4]) == (303, ["", "images", "plain", "jobs"])


def test_the_description_names_the_server_below_the_prefix(make_web: Make, web: Web, below: Callable[..., TestResponse]) -> None:
    described: Any = below("GET", "/api/openapi.json").json
    assert described["servers"] == [{"url": "/images"}]
    assert web.get("/api/openapi.json").json["servers"] == [{"url": "/"}]  # type: ignore[index]
    public = make_web(web_rules={"public_origin": "https://example.com"})
    assert public.ask("GET", "/api/openapi.json", base_url=BELOW).json["servers"] == [{"url": "https://example.com/images"}]  # type: ignore[index]


def test_the_cookie_of_a_page_stays_below_the_prefix(web: Web, below: Callable[..., TestResponse]) -> None:
    assert "Path=/images;" in below("GET", "/").headers["Set-Cookie"] + ";"
    web.client.delete_cookie("gateway_client", path="/images")
    assert "Path=/;" in web.get("/").headers["Set-Cookie"] + ";"


def test_the_results_address_is_whole_where_the_operator_says_the_public_one(make_web: Make) -> None:
    web = make_web(web_rules={"public_origin": "https://example.com"})
    job: Any = web.post("/api/jobs", data=image()).json
    assert job["url"] == f"https://example.com/api/jobs/{job['id']}/result"
    assert job["links"]["result"] == f"/api/jobs/{job['id']}/result"


def test_the_results_address_is_whole_for_a_page_of_another_site(make_web: Make) -> None:
    """Uppy hands it on as it is: as a path, it would lead to that page's own host."""
    rules = Rules(allowed_hosts(()), frozenset((FRIEND,)))
    web = make_web(web_rules={"allowed_origins": (FRIEND, "http://localhost")}, admission_rules=rules)

    def url(origin: str) -> str:
        return str(web.post("/api/jobs", data=image(), headers={"Origin": origin}).json["url"])  # type: ignore[index]

    assert url(FRIEND).startswith("http://localhost/api/jobs/")
    assert url("http://localhost").startswith("/api/jobs/")
