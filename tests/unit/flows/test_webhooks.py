"""Webhooks, from the end of a job to the receiver: every end is told at least once, whatever fails in between."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from backend import errors
from backend.core import webhooks
from backend.core.job import Job
from backend.core.options import Options
from backend.core.webhooks import Delivery
from backend.flows import batch, deliveries, ingest, maintenance
from backend.flows.conclude import cancel, delete
from backend.flows.send_webhooks import FAILURES_BEFORE_PAUSE, SHARES, WebhookSender
from backend.ports.receivers import Reply
from tests.fakes.codec import ScriptedCodec
from tests.fakes.context import MemoryContext
from tests.fakes.deliveries import MemoryReceivers

KEY = b"k" * 32
URL = "https://example.com/hook"
NEXT_TRY_S = 90_000.0
"""Longer than the longest pause with its jitter."""


@dataclass
class Outside:
    """A gateway that sends, and what its receivers heard."""

    here: MemoryContext
    receivers: MemoryReceivers = field(default_factory=MemoryReceivers)

    def sender(self) -> WebhookSender:
        return WebhookSender(self.here.context, self.receivers, (KEY,), start=lambda call: call(), dice=lambda: 0.5)

    def send(self) -> int:
        sender, count = self.sender(), 0
        while more := sender.send_due():
            count += more
        return count

    def heard(self) -> list[tuple[str, str]]:
        """Event and subject of each message, in order."""
        told = [json.loads(body) for _, _, body in self.receivers.told]
        return [(each["type"], each["data"]["id"]) for each in told]

    def ids(self) -> list[str]:
        return [headers["webhook-id"] for _, headers, _ in self.receivers.told]


@pytest.fixture
def told(here: MemoryContext) -> Outside:
    return Outside(here)


def recover(here: MemoryContext) -> None:
    """What a gateway does with an empty Redis."""
    here.server.lose_everything()
    maintenance.Janitor(here.context, "janitor").maintain()


def record(here: MemoryContext, job: Job) -> Delivery:
    (found,) = deliveries.of_job(here.context, job.id, job.manifest.owner)
    return found


def test_a_success_is_told_with_the_job_and_a_signature(here: MemoryContext, told: Outside) -> None:
    job = here.upload(webhook_url=URL)
    here.encode()
    assert told.send() == 1
    url, headers, body = told.receivers.told[0]
    assert url == URL
    here.clock.now = datetime.now(UTC).timestamp()
    signed = webhooks.signed_headers([KEY], headers["webhook-id"], here.clock(), body)
    message = Webhook("whsec_" + "a2tr" * 10 + "a2s=").verify(body, signed)
    assert (message["type"], message["data"]["id"], message["data"]["result"]["format"]) == ("job.succeeded", job.id, "webp")
    assert record(here, job).state == "delivered"
    assert told.send() == 0
    assert here.counters.overview().totals["webhooks:delivered"] == 1


def test_a_failure_and_a_cancel_are_told(here: MemoryContext, told: Outside) -> None:
    broken, unwanted = here.upload(webhook_url=URL), here.upload(webhook_url=URL)
    here.encode(ScriptedCodec(errors.DamagedImage()))
    cancel(here.context, here.find(unwanted))
    told.send()
    assert sorted(told.heard()) == sorted([("job.failed", broken.id), ("job.cancelled", unwanted.id)])


def test_a_job_without_a_webhook_costs_nothing(here: MemoryContext, told: Outside) -> None:
    here.upload()
    here.encode()
    assert (told.send(), here.store.deliveries, here.store.events[-1].split()[0]) == (0, {}, "conclude")


def test_the_record_is_made_before_anybody_hears_of_the_end(here: MemoryContext) -> None:
    heard: list[bool] = []
    here.server.publish = lambda job_id, text: heard.append(not ('"succeeded"' in text and not here.store.deliveries))
    here.upload(webhook_url=URL)
    here.encode()
    assert heard and all(heard)


def test_deleting_an_unfinished_job_tells_that_it_is_cancelled_and_an_ended_one_is_told_once(here: MemoryContext, told: Outside) -> None:
    waiting, done = here.upload(webhook_url=URL), here.upload(webhook_url=URL)
    delete(here.context, here.find(waiting))
    here.encode()
    delete(here.context, here.find(done))
    told.send()
    assert sorted(told.heard()) == sorted([("job.cancelled", waiting.id), ("job.succeeded", done.id)])
    assert deliveries.of_job(here.context, done.id, "")[0].state == "delivered", "the log outlives the job"


def test_a_job_that_expires_unfinished_is_told_as_cancelled(here: MemoryContext, told: Outside) -> None:
    here.context = here.context.__class__(**{**_fields(here.context), "sends_webhooks": True})
    job = here.upload(webhook_url=URL)
    here.clock.advance(86_401)
    maintenance.expire(here.context)
    told.send()
    assert told.heard() == [("job.cancelled", job.id)]
    assert here.store.entries == {}


def _fields(context: object) -> dict[str, Any]:
    return {name: getattr(context, name) for name in context.__dataclass_fields__}  # type: ignore[attr-defined]


def test_an_end_without_a_record_is_found(here: MemoryContext, told: Outside) -> None:
    """An encoder that was killed between the two."""
    job = here.upload(webhook_url=URL)
    here.encode()
    here.store.deliveries.clear()
    recover(here)
    told.send()
    assert told.heard() == [("job.succeeded", job.id)]


def test_an_empty_redis_costs_no_delivery_and_no_second_one(here: MemoryContext, told: Outside) -> None:
    jobs = [here.upload(webhook_url=URL) for _ in range(5)]
    for _ in jobs:
        here.encode()
    recover(here)
    assert told.send() == 5
    recover(here)
    here.clock.advance(NEXT_TRY_S)
    assert told.send() == 0
    assert sorted(told.heard()) == sorted(("job.succeeded", job.id) for job in jobs)


def test_without_redis_the_end_is_recorded_all_the_same(here: MemoryContext, told: Outside) -> None:
    job = here.upload(webhook_url=URL)
    here.server.is_down = True
    cancel(here.context, job)
    here.server.is_down = False
    recover(here)
    told.send()
    assert told.heard() == [("job.cancelled", job.id)]


def test_a_sender_that_dies_after_the_answer_sends_the_same_id_again(here: MemoryContext, told: Outside) -> None:
    here.upload(webhook_url=URL)
    here.encode()

    def dies(url: str) -> Reply:
        here.store.is_down = True
        return Reply(200)

    told.receivers.answer = dies
    told.send()
    here.store.is_down = False
    told.receivers.answer = lambda url: Reply(200)
    assert told.send() == 0, "its lease holds"
    here.clock.advance(60)
    assert told.send() == 1
    assert len(set(told.ids())) == 1 and len(told.ids()) == 2


def test_a_receiver_that_fails_is_tried_ten_times_over_three_days_and_then_given_up(here: MemoryContext, told: Outside) -> None:
    job = here.upload(webhook_url=URL)
    here.encode()
    begun = here.clock()
    told.receivers.answer = lambda url: Reply(500)
    times = []
    while record(here, job).is_pending:
        here.clock.now = max(here.clock.now, record(here, job).due_at)
        assert told.send() == 1
        times.append(here.clock() - begun)
    assert record(here, job).state == "exhausted" and len(times) == 10
    assert times[0] == 0 and 272_160 <= times[-1] <= 1.1 * 272_160
    assert len(set(told.ids())) == 1
    bodies = {body for _, _, body in told.receivers.told}
    assert len(bodies) == 1, "the same body at each try"
    assert len({headers["webhook-timestamp"] for _, headers, _ in told.receivers.told}) == 10


def test_a_receiver_that_wants_no_more_is_not_asked_again_until_somebody_sends_it_by_hand(here: MemoryContext, told: Outside) -> None:
    job = here.upload(webhook_url=URL)
    here.encode()
    told.receivers.answer = lambda url: Reply(410)
    told.send()
    here.clock.advance(NEXT_TRY_S)
    assert (told.send(), record(here, job).state) == (0, "gone")
    told.receivers.answer = lambda url: Reply(200)
    deliveries.resend(here.context, record(here, job).id, "")
    assert told.send() == 1
    assert (record(here, job).state, len(set(told.ids()))) == ("delivered", 1)


def test_a_receiver_says_when_to_come_again(here: MemoryContext, told: Outside) -> None:
    job = here.upload(webhook_url=URL)
    here.encode()
    told.receivers.answer = lambda url: Reply(503, retry_after_s=3600)
    told.send()
    assert record(here, job).due_at - here.clock() == 3600


def test_no_answer_is_logged_by_its_reason_and_counted(here: MemoryContext, told: Outside) -> None:
    job = here.upload(webhook_url=URL)
    here.encode()

    def silent(url: str) -> Reply:
        raise errors.BadRequest("url_slow")

    told.receivers.answer = silent
    told.send()
    (attempt,) = record(here, job).attempts
    assert (attempt.status, attempt.error) == (None, "slow")
    assert here.counters.overview().totals["webhook_tries:slow"] == 1


def test_a_dead_host_is_left_alone_and_another_is_told_at_once(here: MemoryContext, told: Outside) -> None:
    def answer(url: str) -> Reply:
        if "dead" in url:
            raise errors.BadRequest("url_unreachable")
        return Reply(200)

    told.receivers.answer = answer
    for number in range(50):
        here.upload(webhook_url="https://dead.example/hook", client=f"client-{number}")
        here.encode()
    assert told.send() < FAILURES_BEFORE_PAUSE + SHARES.host
    well = here.upload(webhook_url=URL)
    here.encode()
    assert (told.send(), told.heard()[-1]) == (1, ("job.succeeded", well.id))


def of_three(here: MemoryContext) -> tuple[Any, list[Job]]:
    images = [here.receive() for _ in range(3)]
    return batch.accept(here.context, images, Options(), ingest.Sender(client="someone", webhook_url=URL))


def test_a_batch_is_told_once_when_its_last_job_has_ended(here: MemoryContext, told: Outside) -> None:
    made, jobs = of_three(here)
    here.encode()
    cancel(here.context, here.find(jobs[2]))
    assert told.send() == 0
    here.encode()
    assert told.send() == 1
    assert told.heard() == [("batch.ended", made.id)]
    data = json.loads(told.receivers.told[0][2])["data"]
    assert (data["total"], data["succeeded"], data["cancelled"], [each["id"] for each in data["jobs"]]) == (3, 2, 1, [each.id for each in jobs])
    recover(here)
    assert told.send() == 0
    assert deliveries.of_batch(here.context, made.id, "")[0].state == "delivered"


def test_deleting_the_last_job_of_a_batch_ends_it(here: MemoryContext, told: Outside) -> None:
    made, jobs = of_three(here)
    for job in jobs:
        delete(here.context, here.find(job))
    told.send()
    assert told.heard() == [("batch.ended", made.id)]


def test_a_refused_batch_is_told_of_to_nobody_and_its_key_makes_another(here: MemoryContext, told: Outside) -> None:
    context = here.context
    here.context = context.__class__(**{**_fields(context), "max_queued_jobs": 2})
    key = context.new_id()
    images = [here.receive() for _ in range(3)]
    with pytest.raises(errors.QueueFull):
        batch.accept(here.context, images, Options(), ingest.Sender(webhook_url=URL), batch_id=key)
    assert told.send() == 0
    with pytest.raises(errors.NotFound):
        batch.find_batch(context, key, "")


def test_the_log_is_its_owners_alone(here: MemoryContext, told: Outside) -> None:
    job = here.upload(webhook_url=URL, owner="one")
    here.encode()
    told.send()
    (delivery,) = deliveries.of_job(here.context, job.id, "one")
    looks: list[Callable[[], object]] = [
        lambda: deliveries.of_job(here.context, job.id, "other"),
        lambda: deliveries.of_job(here.context, here.context.new_id(), "other"),
        lambda: deliveries.resend(here.context, delivery.id, "other"),
        lambda: deliveries.resend(here.context, webhooks.delivery_id("job.failed", "x"), "one"),
    ]
    for look in looks:
        with pytest.raises(errors.NotFound):
            look()
    fresh = here.upload(webhook_url=URL, owner="one")
    assert deliveries.of_job(here.context, fresh.id, "one") == []


def test_a_full_store_keeps_the_end_back_until_it_can_be_promised(here: MemoryContext, told: Outside) -> None:
    job = here.upload(webhook_url=URL)
    seen = here.find(job)
    add = here.store.add_delivery

    def is_full(delivery: Delivery) -> bool:
        raise errors.StorageFull()

    here.store.add_delivery = is_full  # type: ignore[method-assign]
    with pytest.raises(errors.StorageFull):
        cancel(here.context, seen)
    here.store.add_delivery = add  # type: ignore[method-assign]
    maintenance.recover(here.context)
    told.send()
    assert told.heard() == [("job.cancelled", job.id)]
