"""``POST /api/jobs`` with JSON: an image that another server has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.fakes.samples import image
from tests.fakes.sources import MemoryDownload
from tests.unit.web.conftest import Web

Check = Callable[[TestResponse, int, str], dict[str, Any]]
Make = Callable[..., Web]
PNG = image()
URL = "https://example.org/a/cat.png"


@pytest.fixture
def web(make_web: Make) -> Web:
    made = make_web()
    made.sources.answers[URL] = MemoryDownload([PNG])
    return made


def test_an_image_is_ordered_by_its_address_with_options_beside_it(web: Web) -> None:
    response = web.post("/api/jobs?method=2", json={"url": URL, "quality": 33, "lossless": False, "filename": "../我的图片.png"})
    job: Any = response.json
    assert response.status_code == 202 and response.headers["Location"] == f"/api/jobs/{job['id']}"
    assert job["options"] == {"quality": 33, "method": 2}
    now: Any = web.get(f"/api/jobs/{job['id']}").json
    assert now["source"] == {"filename": "我的图片.png", "bytes": len(PNG), "format": "png", "width": 16, "height": 12, "frames": 1}
    assert web.get(f"/api/jobs/{job['id']}/source").data == PNG


def test_whoever_waits_gets_the_end(web: Web) -> None:
    web.encode_at_once()
    response = web.post("/api/jobs", json={"url": URL}, headers={"Prefer": "wait=5"})
    assert (response.status_code, (response.json or {})["state"]) == (200, "succeeded")


@pytest.mark.parametrize("body", [{}, {"url": 5}, {"url": None}, {"url": [URL]}, [URL], "text", 5])
def test_what_names_no_address_is_refused(web: Web, problem: Check, body: Any) -> None:
    problem(web.post("/api/jobs", json=body), 400, "bad_request")


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 50_000, b'{"url": NaN}', b'{"url": "a", "url": "b"}', b'{"url": "\\ud800"}'])
def test_what_is_no_json_is_refused(web: Web, problem: Check, data: bytes) -> None:
    problem(web.post("/api/jobs", data=data, content_type="application/json"), 400, "bad_request")


def test_a_longer_object_than_any_is_too_large(web: Web, problem: Check) -> None:
    body = problem(web.post("/api/jobs", json={"url": "x" * 70_000}), 413, "too_large")
    assert "64 KiB" in body["detail"] and "--data-binary" in body["detail"]


@pytest.mark.parametrize(("name", "value"), [("qualty", 80), ("quality", 101), ("quality", [80]), ("width", {"px": 4}), ("lossless", None)])
def test_a_wrong_option_is_named(web: Web, problem: Check, name: str, value: Any) -> None:
    assert problem(web.post("/api/jobs", json={"url": URL, name: value}), 422, "invalid_option")["option"] == name
    assert not web.here.store.entries


def test_an_address_that_may_not_be_asked_is_refused(web: Web, problem: Check) -> None:
    problem(web.post("/api/jobs", json={"url": "http://inside/cat.png"}), 400, "bad_request")
    assert not web.here.store.entries and not web.sources.asked


def test_where_nothing_is_fetched_that_is_said(make_web: Make, problem: Check) -> None:
    problem(make_web(web_rules={"fetcher": None}).post("/api/jobs", json={"url": URL}), 400, "bad_request")


def test_an_idempotency_key_makes_one_job_and_one_download(web: Web, problem: Check) -> None:
    headers = {"Idempotency-Key": "key-1"}
    ids = {web.post("/api/jobs", json={"url": URL}, headers=headers).json["id"] for _ in range(3)}  # type: ignore[index]
    assert len(ids) == 1 and web.sources.asked == [URL]
    problem(web.post("/api/jobs", json={"url": URL, "quality": 5}, headers=headers), 422, "invalid_option")


def test_an_image_that_could_not_be_fetched_can_neither_be_sent_nor_converted_again(web: Web, problem: Check) -> None:
    web.sources.answers[URL] = MemoryDownload([b"no image at all"])
    own = f"/api/jobs/{web.post('/api/jobs', json={'url': URL}).json['id']}"  # type: ignore[index]
    assert web.get(own).json["state"] == "failed"  # type: ignore[index]
    for refused in (web.get(f"{own}/source"), web.post(f"{own}/retry")):
        assert "never fetched" in problem(refused, 410, "gone")["detail"]
