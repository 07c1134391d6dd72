"""Webhooks through the whole gateway, to real receivers. The judge of the signatures is the ``standardwebhooks`` library."""

from __future__ import annotations

import base64
import contextlib
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from standardwebhooks.webhooks import Webhook

from tests.fakes.samples import image
from tests.support.receiver import HOSTILE, Message, Receiver, hostile, receiving
from tests.support.running import Gateway, running, wait_for

pytestmark = pytest.mark.e2e
SECRETS = [f"whsec_{base64.b64encode(os.urandom(size)).decode()}" for size in (32, 24)]
TIMEOUT_S = 2
MOST_WAITING = 12
PNG = image("png", 64, 48)
BROKEN = image("png", 600, 400)[:200]
TUS = {"Tus-Resumable": "1.0.0"}
SETTINGS = {
    "GUNICORN_WORKERS": "2",
    "GATEWAY_PROXY_HOPS": "1",
    "GATEWAY_WEBHOOK_SECRET": ",".join(SECRETS),
    "GATEWAY_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
    "GATEWAY_WEBHOOK_TIMEOUT_S": str(TIMEOUT_S),
    "GATEWAY_WEBHOOK_PAUSES_S": "0,1,1,600",
    "GATEWAY_CLIENT_WEBHOOKS": str(MOST_WAITING),
    "GATEWAY_FETCH_ALLOWED_NETWORKS": "127.0.0.0/8",
}


@pytest.fixture(scope="module")
def telling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running(tmp_path_factory.mktemp("telling") / "data", **SETTINGS) as started:
        yield started


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as there:
        yield there


def ask(gateway: Gateway, method: str, path: str, *, client: str = "192.0.2.1", **more: Any) -> requests.Response:
    headers = {"X-Forwarded-For": client, **more.pop("headers", {})}
    return requests.request(method, gateway.url + path, headers=headers, timeout=30, **more)


def taken(gateway: Gateway, data: bytes = PNG, *, client: str = "192.0.2.1", **options: str) -> str:
    response = ask(gateway, "POST", "/api/jobs", client=client, data=data, params=options)
    assert response.status_code == 202, response.text
    return str(response.json()["id"])


def told(receiver: Receiver, subject: str, count: int = 1, within_s: float = 30.0) -> list[Message]:
    return list(wait_for(lambda: found if len(found := receiver.of(subject)) >= count else None, within_s, f"for {count} messages of {subject}"))


def log(gateway: Gateway, job_id: str, kind: str = "job") -> dict[str, Any]:
    response = ask(gateway, "GET", f"/api/webhooks/deliveries?{kind}={job_id}")
    assert response.status_code == 200, response.text
    (delivery,) = response.json()["deliveries"]
    return dict(delivery)


def test_each_end_is_told_once_signed_by_every_secret(telling: Gateway, receiver: Receiver) -> None:
    """From every way in: query, form, JSON, tus, batch; and from every end."""
    url = f"{receiver.url}/hook?token=secret"
    form = ask(telling, "POST", "/api/jobs", files={"file": PNG}, data={"webhook_url": url, "quality": "50"}).json()["id"]
    source = taken(telling)
    by_json = ask(telling, "POST", "/api/jobs", json={"url": f"{telling.url}/api/jobs/{source}/source", "webhook_url": url}).json()["id"]
    batch = ask(telling, "POST", "/api/jobs", files=[("file", ("a.png", PNG)), ("file", ("b.png", PNG))], params={"webhook_url": url}).json()["id"]
    ends = {
        taken(telling, webhook_url=url): "job.succeeded",
        taken(telling, BROKEN, webhook_url=url): "job.failed",
        form: "job.succeeded",
        by_json: "job.succeeded",
        resumable(telling, url): "job.succeeded",
        batch: "batch.ended",
    }
    retried = ask(telling, "POST", f"/api/jobs/{form}/retry", params={"quality": "30"}).json()["id"]
    unwanted = taken(telling, image("png", 4000, 3000), webhook_url=url)
    assert ask(telling, "DELETE", f"/api/jobs/{unwanted}").status_code == 204
    ends |= {retried: "job.succeeded"}
    for subject, event in ends.items():
        (message,) = told(receiver, subject)
        verified = [Webhook(secret).verify(message.body, message.headers) for secret in SECRETS]
        assert verified[0] == verified[1] == message.event and message.event["type"] == event
    (message,) = told(receiver, unwanted)
    assert message.event["type"] in ("job.cancelled", "job.succeeded")
    assert len(receiver.messages) == len(ends) + 1, "each was told once, and no job of the batch for itself"
    shown = ask(telling, "GET", f"/api/jobs/{form}").json()
    assert "secret" not in str(shown) and shown["links"]["deliveries"] == f"/api/webhooks/deliveries?job={form}"
    assert "token" not in telling.log.read_text()


def resumable(gateway: Gateway, url: str) -> str:
    pairs = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in (("filename", "a.png"), ("webhook_url", url)))
    headers = {**TUS, "Upload-Length": str(len(PNG)), "Upload-Metadata": pairs, "Content-Type": "application/offset+octet-stream"}
    response = ask(gateway, "POST", "/api/uploads", headers=headers, data=PNG)
    assert response.status_code == 201, response.text
    return response.headers["Link"].split("/")[3].split(">")[0]


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "http://169.254.169.254/latest",
        "https://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://0x0a000001/",
        "file:///etc/passwd",
        "http://user@127.0.0.1/",
        "hook",
    ],
)
def test_addresses_that_may_not_be_told_are_refused(telling: Gateway, url: str) -> None:
    response = ask(telling, "POST", "/api/jobs", data=PNG, params={"webhook_url": url})
    assert (response.status_code, response.json()["code"], response.json()["option"]) == (422, "invalid_option", "webhook_url")


def test_without_a_secret_and_where_the_answer_is_the_result_it_is_refused(gateway: Gateway, telling: Gateway) -> None:
    for asked in (
        requests.post(f"{gateway.url}/api/jobs", data=PNG, params={"webhook_url": "https://example.com/"}, timeout=30),
        requests.post(f"{gateway.url}/api/uploads?webhook_url=https://example.com/", headers={**TUS, "Upload-Length": "10"}, timeout=30),
    ):
        assert asked.status_code == 422 and "GATEWAY_WEBHOOK_SECRET" in asked.json()["detail"]
    assert ask(telling, "POST", "/api/convert", data=PNG, params={"webhook_url": "https://example.com/"}).status_code == 422


def test_failed_tries_are_logged_and_repeated_under_one_id(telling: Gateway, receiver: Receiver) -> None:
    receiver.answers = {"/later": [500, 302, 204], "/gone": [410, 200], "/never": [500]}
    later, gone = (taken(telling, webhook_url=receiver.url + path) for path in ("/later", "/gone"))
    messages = told(receiver, later, 3)
    assert len({each.id for each in messages}) == 1 and len({each.body for each in messages}) == 1
    wait_for(lambda: log(telling, later)["state"] == "delivered", 10)
    assert [each["status"] for each in log(telling, later)["tries"]] == [500, 302, 204]
    assert not [each for each in receiver.messages if each.path == "/elsewhere"], "no redirect is followed"
    wait_for(lambda: log(telling, gone)["state"] == "gone", 10)
    known = log(telling, gone)
    assert (known["type"], known["receiver"], known["next_try_at"], len(known["tries"])) == ("job.succeeded", receiver.url, None, 1)
    response = ask(telling, "POST", known["links"]["resend"])
    assert (response.status_code, response.json()["state"]) == (202, "pending")
    first, second = told(receiver, gone, 2)
    assert first.id == second.id == known["id"]
    wait_for(lambda: log(telling, gone)["state"] == "delivered", 10)
    assert ask(telling, "DELETE", f"/api/jobs/{gone}").status_code == 204
    assert log(telling, gone)["state"] == "delivered", "the log outlives the job"
    for path in (f"deliveries?job={later[:-1]}x", "deliveries?job=", "deliveries/msg_0123456789012345678901/resend", "deliveries/x/resend"):
        assert ask(telling, "POST" if "resend" in path else "GET", f"/api/webhooks/{path}").status_code == 404
    for query in ("", "?job=a&batch=b", "?state=x", "?job=a&job=b"):
        assert ask(telling, "GET", f"/api/webhooks/deliveries{query}").status_code == 422
    metrics = requests.get(f"{telling.url}/metrics", timeout=10).text
    assert 'gateway_webhooks_ended_total{state="gone"} 1.0' in metrics and 'gateway_webhook_tries_total{answer="5xx"}' in metrics


def test_hostile_receivers_are_given_up_in_time_and_cost_nobody_anything(telling: Gateway, receiver: Receiver) -> None:
    with contextlib.ExitStack() as stack:
        urls = {kind: stack.enter_context(hostile(kind)) for kind in HOSTILE}
        jobs = {kind: taken(telling, webhook_url=url, client=f"198.51.100.{number}") for number, (kind, url) in enumerate(urls.items())}
        slowest_s = 0.0
        for _ in range(5):
            begun = time.monotonic()
            other = taken(telling, webhook_url=receiver.url, client="203.0.113.1")
            told(receiver, other, within_s=10)
            slowest_s = max(slowest_s, time.monotonic() - begun)
        assert slowest_s < TIMEOUT_S + 2

        def tries(kind: str) -> list[dict[str, Any]]:
            return list(log(telling, jobs[kind])["tries"])

        for kind in HOSTILE:
            wait_for(lambda kind=kind: tries(kind), TIMEOUT_S * 4 + 10, f"for a try: {kind}")
            first = tries(kind)[0]
            assert first["duration_ms"] < (TIMEOUT_S + 2) * 1000
            expected = {"silence": "slow", "an endless body": None}.get(kind, "answer")
            assert first["error"] == expected or (kind in ("a closed connection", "single bytes") and first["error"] in ("unreachable", "slow")), (
                kind,
                first,
            )
    assert [each.status() for each in telling.find("gunicorn")]


def test_silent_receivers_of_a_client_do_not_keep_its_others_waiting(telling: Gateway, receiver: Receiver) -> None:
    """Seven at once, with a message each, hold their places for the whole time of a try."""
    client = "192.0.2.99"
    with contextlib.ExitStack() as stack:
        urls = [stack.enter_context(hostile("silence")) for _ in range(7)]
        for job in [taken(telling, webhook_url=url, client=client) for url in urls]:
            telling.ended(job)
        begun = time.monotonic()
        told(receiver, taken(telling, webhook_url=receiver.url, client=client), within_s=10)
        assert time.monotonic() - begun < TIMEOUT_S + 2


def test_a_client_with_too_many_waiting_is_told_so(telling: Gateway, receiver: Receiver) -> None:
    receiver.answers = {"/never": [500]}
    client = "192.0.2.77"
    jobs = [taken(telling, webhook_url=f"{receiver.url}/never", client=client) for _ in range(MOST_WAITING)]
    for each in jobs:
        told(receiver, each)
    refused = ask(telling, "POST", "/api/jobs", client=client, data=PNG, params={"webhook_url": receiver.url})
    assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded") and refused.headers["Retry-After"]
    taken(telling, client=client)
    taken(telling, webhook_url=receiver.url, client="192.0.2.78")
