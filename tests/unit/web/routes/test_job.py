"""``/api/jobs/{id}``: shown, waited for, cancelled, erased."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from backend.core.conversion import Progress
from tests.fakes.codec import ScriptedCodec
from tests.fakes.samples import JOB_FIELDS
from tests.fakes.waiting import until
from tests.unit.web.conftest import Web

Check = Callable[[TestResponse, int, str], dict[str, Any]]
UNKNOWN = "AAAAAAAAAAAAAAAAAAAAAA"


def test_a_job_is_shown_with_exactly_the_contracts_fields(web: Web) -> None:
    job = web.finished()
    assert list(job) == JOB_FIELDS
    assert (job["state"], job["progress"], job["stage"]) == ("succeeded", 100, None)
    assert {"url", "bytes", "format", "width", "height", "frames", "sha256", "saved_percent"} <= set(job["result"])
    response = web.get(job["links"]["self"])
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert response.headers["Vary"] == "Accept-Language"
    assert response.content_type == "application/json"


def test_every_link_that_this_gateway_has_leads_somewhere(web: Web) -> None:
    job = web.finished()
    assert [web.get(job["links"][name]).status_code for name in ("self", "result", "source", "events")] == [200] * 4
    assert web.get(job["result"]["url"]).status_code == 200
    assert web.post(job["links"]["cancel"]).status_code == 409


def test_the_weak_etag_is_the_seq_and_spares_the_body(web: Web) -> None:
    job = web.upload()
    response = web.get(f"/api/jobs/{job['id']}")
    assert response.headers["ETag"] == 'W/"1"'
    same = web.get(f"/api/jobs/{job['id']}", headers={"If-None-Match": 'W/"1"'})
    assert (same.status_code, same.data) == (304, b"")
    web.here.queue.take("token", 60)
    changed = web.get(f"/api/jobs/{job['id']}", headers={"If-None-Match": 'W/"1"'})
    assert (changed.status_code, changed.headers["ETag"]) == (200, 'W/"2"')


def test_a_long_poll_is_answered_with_the_next_change(web: Web) -> None:
    job = web.upload()
    answers: list[TestResponse] = []
    headers = {"If-None-Match": 'W/"1"', "Prefer": "wait=20"}
    asking = threading.Thread(target=lambda: answers.append(web.get(f"/api/jobs/{job['id']}", headers=headers)))
    asking.start()
    until(web.here.follower.watched_count)
    web.here.queue.take("token", 60)
    asking.join(10)
    assert (answers[0].status_code, answers[0].headers["ETag"], answers[0].headers["Preference-Applied"]) == (200, 'W/"2"', "wait=20")


def test_a_long_poll_in_which_nothing_changed_is_not_modified(web: Web) -> None:
    job = web.upload()
    response = web.get(f"/api/jobs/{job['id']}", headers={"If-None-Match": 'W/"1"', "Prefer": "wait=0"})
    assert (response.status_code, response.headers["Preference-Applied"]) == (304, "wait=0")


def test_a_long_poll_that_knows_less_is_answered_at_once(web: Web) -> None:
    job = web.finished()
    response = web.get(f"/api/jobs/{job['id']}", headers={"If-None-Match": 'W/"1"', "Prefer": "wait=30"})
    assert response.status_code == 200
    assert web.get(f"/api/jobs/{job['id']}", headers={"Prefer": "wait=30"}).status_code == 200


def test_a_long_poll_for_an_ended_job_does_not_wait_for_what_never_comes(web: Web) -> None:
    job = web.finished()
    response = web.get(f"/api/jobs/{job['id']}", headers={"If-None-Match": f'W/"{job["seq"]}"', "Prefer": "wait=30"})
    assert response.status_code == 304


def test_head_has_the_headers_and_no_body(web: Web) -> None:
    job = web.upload()
    response = web.head(f"/api/jobs/{job['id']}")
    assert (response.status_code, response.data, response.headers["ETag"]) == (200, b"", 'W/"1"')


def test_a_cancelled_job_is_shown_as_that(web: Web, problem: Check) -> None:
    job = web.upload()
    response = web.post(f"/api/jobs/{job['id']}/cancel")
    assert response.status_code == 200
    assert response.json is not None and (response.json["state"], response.json["seq"]) == ("cancelled", 2)
    body = problem(web.post(f"/api/jobs/{job['id']}/cancel"), 409, "already_finished")
    assert "cancelled" in body["detail"]


def test_a_running_job_is_cancelled_in_the_middle(web: Web) -> None:
    job = web.upload()
    states: list[str] = []

    def cancel() -> None:
        states.append(web.post(f"/api/jobs/{job['id']}/cancel").json["state"])  # type: ignore[index]
        web.here.clock.advance(1)

    after: list[int] = []
    web.here.encode(ScriptedCodec(Progress("encode", 40), cancel, lambda: after.append(1)))
    assert (states, after) == (["cancelled"], [])


def test_a_job_that_has_succeeded_cannot_be_cancelled(web: Web, problem: Check) -> None:
    job = web.finished()
    assert "succeeded" in problem(web.post(f"/api/jobs/{job['id']}/cancel"), 409, "already_finished")["detail"]


def test_a_deleted_job_is_gone_with_everything(web: Web, problem: Check) -> None:
    job = web.finished()
    response = web.delete(f"/api/jobs/{job['id']}")
    assert (response.status_code, response.data) == (204, b"")
    for path in ("", "/result", "/source", "/events"):
        problem(web.get(f"/api/jobs/{job['id']}{path}"), 404, "not_found")
    problem(web.delete(f"/api/jobs/{job['id']}"), 404, "not_found")
    assert web.here.store.entries == {}


@pytest.mark.parametrize("job_id", [UNKNOWN, "x", "a" * 300, "..", "é", "AAAAAAAAAAAAAAAAAAAAA%0A"])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("GET", "/result"), ("GET", "/source"), ("GET", "/events"), ("POST", "/cancel"), ("DELETE", "")]
)
def test_an_id_of_nothing_is_not_found(web: Web, problem: Check, job_id: str, method: str, path: str) -> None:
    problem(web.ask(method, f"/api/jobs/{job_id}{path}"), 404, "not_found")


def test_an_expired_job_is_not_found(web: Web, problem: Check) -> None:
    job = web.finished()
    web.here.clock.advance(86_401)
    problem(web.get(f"/api/jobs/{job['id']}"), 404, "not_found")
    problem(web.get(f"/api/jobs/{job['id']}/result"), 404, "not_found")


def test_a_jobs_error_follows_the_readers_language(web: Web) -> None:
    from backend import errors

    job = web.upload()
    web.here.encode(ScriptedCodec(errors.DamagedImage()))
    titles = {web.get(f"/api/jobs/{job['id']}", headers={"Accept-Language": tag}).json["error"]["title"] for tag in ("en", "zh")}  # type: ignore[index]
    assert titles == {"Damaged image", "图片已损坏"}


def lines_of(response: TestResponse) -> list[dict[str, Any]]:
    """The plain messages: what an ``EventSource`` gives to ``onmessage``."""
    messages = [block.split("\n") for block in response.text.split("\n\n") if "\nevent: " not in block]
    return [json.loads(line.removeprefix("data: ")) for lines in messages for line in lines if line.startswith("data: ")]


def test_the_events_of_an_ended_job_are_its_end(web: Web) -> None:
    job = web.finished()
    response = web.get(f"/api/jobs/{job['id']}/events")
    assert response.content_type == "text/event-stream; charset=utf-8"
    assert [each["state"] for each in lines_of(response)] == ["succeeded"]
    assert f"id: {job['seq']}\n" in response.text


def test_events_are_resumed_after_the_last_id_and_come_once_and_in_order(web: Web) -> None:
    job = web.finished()
    events = lines_of(web.get(f"/api/jobs/{job['id']}/events", headers={"Last-Event-ID": "1"}))
    assert [each["seq"] for each in events] == list(range(2, job["seq"] + 1))
    assert web.get(f"/api/jobs/{job['id']}/events?after={job['seq']}").status_code == 204


def test_a_last_event_id_that_is_none_is_refused(web: Web, problem: Check) -> None:
    job = web.upload()
    for text in ("x", "-1", "1.5", "9" * 16):
        problem(web.get(f"/api/jobs/{job['id']}/events", headers={"Last-Event-ID": text}), 400, "bad_request")
    assert web.here.follower.watched_count() == 0


def test_events_of_a_running_job_are_streamed_until_its_end(web: Web) -> None:
    job = web.upload()
    got: list[list[dict[str, Any]]] = []
    reading = threading.Thread(target=lambda: got.append(lines_of(web.get(f"/api/jobs/{job['id']}/events"))))
    reading.start()
    until(web.here.follower.watched_count)
    web.here.encode()
    reading.join(10)
    assert [each["seq"] for each in got[0]][-1] == got[0][-1]["seq"]
    assert (got[0][0]["state"], got[0][-1]["state"]) == ("queued", "succeeded")
    assert web.here.follower.watched_count() == 0


def test_a_websocket_address_asked_without_an_upgrade_says_what_it_wants(web: Web, problem: Check) -> None:
    assert "WebSocket" in problem(web.get(f"/api/jobs/{web.upload()['id']}/ws"), 400, "bad_request")["detail"]


def test_a_retry_keeps_the_options_but_for_those_given_and_takes_back_those_given_empty(web: Web) -> None:
    first = web.upload(query="?lossless=true&width=40")["id"]
    kept = web.post(f"/api/jobs/{first}/retry?method=2").get_json()["options"]
    assert kept == {"quality": 80, "method": 2, "lossless": True, "width": 40}
    cleared = web.post(f"/api/jobs/{first}/retry?lossless=&width=&quality=30").get_json()["options"]
    assert cleared == {"quality": 30, "method": 4}
    assert web.post(f"/api/jobs/{first}/retry", json={"width": None}).get_json()["options"] == {"quality": 80, "method": 4, "lossless": True}


def test_a_retrys_body_goes_before_its_query(web: Web) -> None:
    again = web.post(f"/api/jobs/{web.upload()['id']}/retry?quality=10&method=2", json={"quality": 20}).get_json()
    assert again["options"] == {"quality": 20, "method": 2}


@pytest.mark.parametrize("query", ["method=1&method=", "method=&method=", "quality=1&quality=2"])
def test_a_retry_takes_each_option_once(web: Web, problem: Check, query: str) -> None:
    problem(web.post(f"/api/jobs/{web.upload()['id']}/retry?{query}"), 422, "invalid_option")


def test_a_retry_takes_back_no_option_that_there_is_not(web: Web, problem: Check) -> None:
    refused = problem(web.post(f"/api/jobs/{web.upload()['id']}/retry?widht="), 422, "invalid_option")
    assert refused["suggestion"] == "width"


def test_a_retry_that_is_sent_again_makes_one_job(web: Web, problem: Check) -> None:
    own = f"/api/jobs/{web.finished()['id']}"
    key = {"Idempotency-Key": "again-1"}
    first, second = (web.post(f"{own}/retry?quality=33", headers=key).json["id"] for _ in range(2))  # type: ignore[index]
    assert first == second
    problem(web.post(f"{own}/retry?quality=34", headers=key), 422, "invalid_option")
    assert web.post(f"{own}/retry?quality=33").json["id"] != first  # type: ignore[index]
