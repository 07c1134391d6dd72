"""What is sent when something ends, how it is signed, and when it is tried again. The judge of the signatures is the ``standardwebhooks`` library."""

from __future__ import annotations

import base64
import json
import os
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from backend import errors
from backend.core import webhooks
from backend.core.batch import Batch
from backend.core.job import Manifest, Status, cancelled, failed
from backend.core.pauses import WEBHOOK_PAUSES_S
from backend.core.resumable import UploadInfo
from backend.core.webhooks import Attempt, Delivery, after
from tests.fakes.samples import READER, job, manifest

URL = "https://example.com/hook?token=secret"
NOW = 1_800_000_000.0


def ended(**given: object) -> Delivery:
    made = job(webhook_url=URL, **given)
    return webhooks.of_job(made.at(cancelled(Status(seq=4), NOW)), READER)


def secret(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


@pytest.mark.parametrize("key_bytes", [24, 32, 64])
def test_the_library_verifies_what_is_signed_and_refuses_what_was_changed(key_bytes: int) -> None:
    key, delivery, now = os.urandom(key_bytes), ended(), datetime.now(UTC).timestamp()
    body = webhooks.body(delivery)
    headers = webhooks.signed_headers([key], delivery.id, now, body)
    assert Webhook(secret(key)).verify(body, headers) == json.loads(body)
    for changed in (body + b" ", body.replace(b"cancelled", b"succeeded")):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret(key)).verify(changed, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret(os.urandom(32))).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret(key)).verify(body, webhooks.signed_headers([key], delivery.id, now - 3600, body))


def test_our_signature_is_the_librarys_own() -> None:
    key, now = os.urandom(32), 1_674_087_231
    signed = webhooks.signed_headers([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", now, b'{"test": 2432232314}')
    theirs = Webhook(secret(key)).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", datetime.fromtimestamp(now, UTC), '{"test": 2432232314}')
    assert signed["webhook-signature"] == theirs


def test_while_secrets_are_exchanged_either_verifies() -> None:
    keys, delivery, now = [os.urandom(32), os.urandom(24)], ended(), datetime.now(UTC).timestamp()
    headers = webhooks.signed_headers(keys, delivery.id, now, webhooks.body(delivery))
    assert len(headers["webhook-signature"].split(" ")) == 2
    for key in keys:
        Webhook(secret(key)).verify(webhooks.body(delivery), headers)


def test_the_body_is_the_specifications_with_the_job_as_clients_see_it() -> None:
    made = job(webhook_url=URL)
    over = made.at(failed(Status(), errors.DamagedImage(), NOW))
    told = json.loads(webhooks.body(webhooks.of_job(over, READER)))
    assert list(told) == ["type", "timestamp", "data"]
    assert (told["type"], told["timestamp"], told["data"]["id"]) == ("job.failed", "2027-01-15T08:00:00.000Z", made.id)
    assert told["data"]["error"]["code"] == "damaged_image"
    assert told["data"]["links"]["deliveries"] == f"/api/webhooks/deliveries?job={made.id}"
    assert "secret" not in json.dumps(told)


def test_an_events_id_follows_from_the_event_and_no_two_events_share_one() -> None:
    ids = [webhooks.delivery_id(event, subject) for event in webhooks.EVENTS for subject in ("a", "b")]
    assert len(set(ids)) == len(ids) and all(webhooks.ID.fullmatch(each) for each in ids)
    assert ended(job_id="a").id == ended(job_id="a").id == webhooks.delivery_id("job.cancelled", "a")


def test_a_batch_is_told_of_as_a_whole_and_without_its_jobs_where_they_are_too_many() -> None:
    made = [job(webhook_url=URL, batch="b").at(cancelled(Status(), NOW + number)) for number in range(400)]
    batch = Batch("b", tuple(each.id for each in made), NOW, NOW + 60)
    few, many = (webhooks.of_batch(batch, made[:count], made[0], READER) for count in (3, 400))
    assert few.event == "batch.ended" and few.created_at == NOW + 2
    assert [each["id"] for each in few.data["jobs"]] == [each.id for each in made[:3]]
    assert (many.data["jobs"], many.data["total"], many.data["cancelled"]) == ([], 400, 400)
    assert len(webhooks.body(many)) < webhooks.MOST_BODY_BYTES


@given(st.floats(0, 1), st.floats(0, 10**9))
def test_tries_follow_the_schedule_with_jitter_and_then_it_is_exhausted(jitter: float, retry_after_s: float) -> None:
    delivery, now, whole_s = ended(), NOW, 0.0
    for pause_s in WEBHOOK_PAUSES_S[1:]:
        delivery = after(delivery, Attempt(now, 0.1, 503), now, WEBHOOK_PAUSES_S, jitter)
        assert delivery.is_pending and pause_s <= delivery.due_at - now <= pause_s * 1.1
        whole_s, now = whole_s + pause_s, delivery.due_at
    assert whole_s > 3 * 86_400
    last = after(delivery, Attempt(now, 0.1, 503), now, WEBHOOK_PAUSES_S, jitter, retry_after_s)
    assert (last.state, last.ended_at, last.tries, len(last.attempts)) == ("exhausted", now, 10, 10)
    asked = after(ended(), Attempt(NOW, 0.1, 503), NOW, WEBHOOK_PAUSES_S, jitter, retry_after_s)
    assert 5 <= asked.due_at - NOW <= max(5.5, min(retry_after_s, 86_400) + 0.001)
    assert asked.due_at - NOW >= min(retry_after_s, 86_400) - 0.001


@pytest.mark.parametrize(
    ("status", "state"),
    [(200, "delivered"), (204, "delivered"), (299, "delivered"), (410, "gone"), (301, "pending"), (404, "pending"), (None, "pending")],
)
def test_an_answer_decides(status: int | None, state: str) -> None:
    over = after(ended(), Attempt(NOW, 0.1, status, "" if status else "slow"), NOW, WEBHOOK_PAUSES_S, 0.5)
    assert over.state == state
    assert Delivery.from_json(over.to_json()) == over


def test_a_record_outlives_its_job_and_its_last_try_by_a_day() -> None:
    long = after(ended(expires_at=NOW + 10**6), Attempt(NOW, 0.1, 200), NOW, WEBHOOK_PAUSES_S, 0)
    short = after(ended(expires_at=NOW + 1), Attempt(NOW + 500, 0.1, 200), NOW + 500, WEBHOOK_PAUSES_S, 0)
    assert (long.kept_until, short.kept_until) == (NOW + 10**6 + 86_400, NOW + 500 + 86_400)


def test_sent_once_more_it_begins_anew_and_keeps_a_bounded_log() -> None:
    delivery = after(ended(), Attempt(NOW, 0.1, 410), NOW, WEBHOOK_PAUSES_S, 0)
    for number in range(30):
        delivery = after(webhooks.again(delivery, NOW), Attempt(NOW + number, 0.1, 410), NOW, WEBHOOK_PAUSES_S, 0)
    assert (delivery.tries, len(delivery.attempts), delivery.attempts[-1].at) == (1, webhooks.MOST_LOGGED, NOW + 29)


def test_what_is_shown_has_no_secret_of_the_address() -> None:
    shown = webhooks.public_delivery(after(ended(), Attempt(NOW, 0.25, None, "slow"), NOW, WEBHOOK_PAUSES_S, 0), READER)
    assert shown["receiver"] == "https://example.com" and "secret" not in json.dumps(shown)
    assert shown["tries"] == [{"at": "2027-01-15T08:00:00.000Z", "status": None, "error": "slow", "duration_ms": 250}]
    assert shown["next_try_at"] == "2027-01-15T08:00:05.000Z"


def test_records_of_versions_before_webhooks_can_be_read_and_ours_without_one_by_those() -> None:
    old = json.loads(manifest("old").to_json())
    assert "webhook_url" not in old
    assert Manifest.from_json(json.dumps(old)).webhook_url == ""
    told = manifest("new", webhook_url=URL)
    assert Manifest.from_json(told.to_json()) == told
    upload = UploadInfo("id", "job", told.options)
    assert "webhook_url" not in json.loads(upload.to_json()) and UploadInfo.from_json(upload.to_json()) == upload


def test_a_client_is_one_whatever_line_its_job_stood_in() -> None:
    assert ended(client="192.0.2.1 line waits").client == "192.0.2.1"
