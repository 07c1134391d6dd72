"""What a request makes its answer depend on."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.fakes.samples import image
from tests.unit.web.conftest import Web

Check = Callable[[TestResponse, int, str], dict[str, Any]]


def test_a_file_that_is_not_the_expected_one_is_not_sent(web: Web, problem: Check) -> None:
    job = web.finished()
    own, etag = f"/api/jobs/{job['id']}/result", f'"{job["result"]["sha256"]}"'
    assert web.get(own, headers={"If-Match": etag}).status_code == 200
    body = problem(web.get(own, headers={"If-Match": '"another"'}), 412, "bad_request")
    assert job["result"]["sha256"] in body["detail"]


def several() -> dict[str, Any]:
    return {"file": [(io.BytesIO(image(width=16 + each)), f"{each}.png") for each in range(3)]}


def test_a_batch_that_is_sent_again_is_the_same_batch(web: Web, problem: Check) -> None:
    key = {"Idempotency-Key": "batch-1"}
    first, second = (web.post("/api/jobs", data=several(), headers=key) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json["id"] == second.json["id"]  # type: ignore[index]
    assert [each["id"] for each in first.json["jobs"]] == [each["id"] for each in second.json["jobs"]]  # type: ignore[index]
    assert web.here.queue.depth() == 3
    problem(web.post("/api/jobs?quality=1", data=several(), headers=key), 422, "invalid_option")
    assert web.post("/api/jobs", data=several()).json["id"] != first.json["id"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("zh", "zh-CN"),
        ("zh-TW", "zh-CN"),
        ("zh-Hant-HK", "zh-CN"),
        ("en;q=0.3, zh;q=0.9", "zh-CN"),
        ("zh;q=0.2,en;q=0.8", "en"),
        ("fr, zh;q=0.1", "zh-CN"),
        ("zh;q=0", "en"),
        ("zh;q=0, *", "en"),
        ("fr", "en"),
        ("*", "en"),
        ("garbage;;q=x", "en"),
    ],
)
def test_the_reader_is_answered_in_the_language_asked_for(web: Web, accepted: str, language: str) -> None:
    assert web.get("/api/jobs/none", headers={"Accept-Language": accepted}).headers["Content-Language"] == language


@pytest.mark.parametrize("path", ["/api//jobs", "/api/jobs//x", "/api/webhooks", "/img/x"])
def test_an_address_that_is_nearly_right_is_not_found_and_not_redirected(web: Web, problem: Check, path: str) -> None:
    problem(web.get(path), 404, "not_found")
