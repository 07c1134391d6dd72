"""``webhook_url`` on every way in, and the log of what was sent."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import pytest

from backend.core.options import Options
from backend.core.webhooks import delivery_id
from backend.flows.send_webhooks import WebhookSender
from tests.fakes.deliveries import MemoryReceivers
from tests.fakes.samples import image
from tests.unit.web.conftest import Web

URL = "https://example.com/hook?token=secret"
TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture
def telling(make_web: Callable[..., Web]) -> Web:
    return make_web(web_rules={"receivers": MemoryReceivers(), "pending_webhooks": 2})


def receiver_of(web: Web, job_id: str) -> str:
    return web.here.store.manifest(job_id).webhook_url


def send(web: Web) -> None:
    sender = WebhookSender(web.here.context, MemoryReceivers(), (b"k" * 32,), start=lambda call: call())
    while sender.send_due():
        pass


def encode_all(web: Web) -> None:
    while web.here.encode():
        pass


def refusal(response: Any) -> tuple[int, str, str]:
    return response.status_code, response.json["code"], response.json.get("option", "")


def test_the_receiver_is_taken_from_query_form_and_metadata_and_shown_nowhere(telling: Web) -> None:
    by_query = telling.upload(query=f"?webhook_url={URL.replace('?', '%3F')}")
    form = {"file": (io.BytesIO(image()), "a.png"), "webhook_url": URL, "quality": "60"}
    by_form: Any = telling.post("/api/jobs", data=form).json
    for each in (by_query, by_form):
        assert receiver_of(telling, each["id"]) == URL
        assert "secret" not in str(each) and each["links"]["deliveries"] == f"/api/webhooks/deliveries?job={each['id']}"
        assert "webhook_url" not in each["options"]
    pairs = f"webhook_url {base64.b64encode(URL.encode()).decode()}"
    body = image()
    headers = {**TUS, "Upload-Length": str(len(body)), "Upload-Metadata": pairs, "Content-Type": "application/offset+octet-stream"}
    made = telling.post("/api/uploads", data=body, headers=headers)
    assert made.status_code == 201
    assert receiver_of(telling, made.headers["Link"].split("/")[3].split(">")[0]) == URL
    assert "deliveries" not in telling.upload()["links"]


def test_a_retry_keeps_it_unless_it_names_another_or_none(telling: Web) -> None:
    first = telling.upload(query="?webhook_url=https://one.example/")
    encode_all(telling)
    kept, other, none = (
        telling.post(f"/api/jobs/{first['id']}/retry?{query}").json["id"]  # type: ignore[index]
        for query in ("quality=40", "webhook_url=https://other.example/", "webhook_url=")
    )
    assert [receiver_of(telling, each) for each in (kept, other, none)] == ["https://one.example/", "https://other.example/", ""]
    assert telling.here.store.manifest(kept).options == Options(quality=40)


def test_a_retried_job_of_a_batch_leaves_the_batchs_receiver_to_the_batch(telling: Web) -> None:
    files = [(io.BytesIO(image()), "a.png"), (io.BytesIO(image()), "b.png")]
    batch: Any = telling.post("/api/jobs", data={"file": files, "webhook_url": URL}).json
    assert batch["links"]["deliveries"] == f"/api/webhooks/deliveries?batch={batch['id']}"
    assert "deliveries" not in batch["jobs"][0]["links"]
    retried: Any = telling.post(f"/api/jobs/{batch['jobs'][0]['id']}/retry").json
    assert receiver_of(telling, retried["id"]) == ""


def test_one_idempotency_key_stands_for_one_receiver(telling: Web) -> None:
    asked = [
        telling.post(f"/api/jobs?webhook_url={url}", data=image(), headers={"Idempotency-Key": "k"})
        for url in ("https://a/", "https://a/", "https://b/")
    ]
    assert [each.status_code for each in asked] == [202, 202, 422]


def test_where_it_cannot_be_it_is_refused_and_nothing_is_made(web: Web, telling: Web) -> None:
    assert refusal(web.post(f"/api/jobs?webhook_url={URL}", data=image())) == (422, "invalid_option", "webhook_url")
    assert "GATEWAY_WEBHOOK_SECRET" in web.post(f"/api/jobs?webhook_url={URL}", data=image()).json["detail"]  # type: ignore[index]
    assert refusal(telling.post(f"/api/convert?webhook_url={URL}", data=image())) == (422, "invalid_option", "webhook_url")
    assert refusal(telling.post("/api/jobs?webhook_url=http://inside/", data=image())) == (422, "invalid_option", "webhook_url")
    assert refusal(telling.post("/api/jobs?webhok_url=https://a/", data=image())) == (422, "invalid_option", "webhok_url")
    assert not web.here.store.entries and not telling.here.store.entries and not telling.here.store.incoming


def test_a_client_whose_receivers_are_dead_is_told_to_wait(telling: Web) -> None:
    for _ in range(2):
        telling.upload(query="?webhook_url=https://dead.example/")
    encode_all(telling)
    refused = telling.post("/api/jobs?webhook_url=https://dead.example/", data=image())
    assert refusal(refused)[:2] == (429, "quota_exceeded") and int(refused.headers["Retry-After"]) > 0
    telling.upload()
    telling.here.server.is_down = True
    assert telling.upload(query="?webhook_url=https://dead.example/")["state"] == "queued", "without Redis nothing is limited"


def test_the_log_and_once_more(make_web: Callable[..., Web]) -> None:
    web = make_web(keys=("key-of-one", "key-of-another"), web_rules={"receivers": MemoryReceivers()})
    own, others = {"Authorization": "Bearer key-of-one"}, {"Authorization": "Bearer key-of-another"}
    job = web.upload(query=f"?webhook_url={URL.replace('?', '%3F')}", **own)
    log = f"/api/webhooks/deliveries?job={job['id']}"
    assert web.get(log, headers=own).json == {"deliveries": []}
    encode_all(web)
    send(web)
    (told,) = web.get(log, headers=own).json["deliveries"]  # type: ignore[index]
    assert (told["state"], told["receiver"], told["job"], told["batch"]) == ("delivered", "https://example.com", job["id"], None)
    assert told["id"] == delivery_id("job.succeeded", job["id"]) and "secret" not in str(told)
    again = web.post(told["links"]["resend"], headers=own)
    assert (again.status_code, again.json["state"]) == (202, "pending")  # type: ignore[index]
    unknown = f"/api/webhooks/deliveries/{delivery_id('job.failed', 'x')}/resend"
    not_theirs, not_there = web.post(told["links"]["resend"], headers=others), web.post(unknown, headers=others)
    assert not_theirs.status_code == not_there.status_code == 404
    assert {**not_theirs.json, "instance": "", "request_id": ""} == {**not_there.json, "instance": "", "request_id": ""}  # type: ignore[dict-item]
    assert web.get(log, headers=others).status_code == web.get(log[:-1] + "x", headers=others).status_code == 404
    assert web.get(log).status_code == web.post(told["links"]["resend"]).status_code == 401


@pytest.mark.parametrize("query", ["", "?job=a&batch=b", "?jobs=a", "?job=a&job=b"])
def test_the_log_is_asked_for_one_job_or_one_batch(telling: Web, query: str) -> None:
    assert telling.get(f"/api/webhooks/deliveries{query}").status_code == 422


def test_without_a_secret_nothing_is_sent_once_more(web: Web) -> None:
    assert refusal(web.post(f"/api/webhooks/deliveries/{delivery_id('job.failed', 'x')}/resend"))[:2] == (422, "invalid_option")
