"""Webhooks: what is sent when a job or a batch ends, when it is tried again, and what is known of each try.

The form is that of Standard Webhooks (https://www.standardwebhooks.com). One ``Delivery`` stands for one event and one receiver::

    pending ──▶ delivered     the receiver answered 2xx
     │   ▲
     │   └── ended, and sent once more by hand
     ├─────▶ gone             it answered 410: it wants no more of them
     └─────▶ exhausted        the last try of the schedule failed, too

Times are seconds since the epoch. A delivery's id follows from its event, so whoever records the event a second time finds it recorded.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from backend.core import records
from backend.core.batch import Batch, public_batch
from backend.core.job import ENDED, Job, State
from backend.core.public_job import public
from backend.core.reader import Reader
from backend.core.times import rfc3339
from backend.core.turns import client_of

DeliveryState = Literal["pending", "delivered", "gone", "exhausted"]
DELIVERY_STATES: tuple[DeliveryState, ...] = ("pending", "delivered", "gone", "exhausted")
EVENT_OF: dict[State, str] = {state: f"job.{state}" for state in ("succeeded", "failed", "cancelled")}
BATCH_ENDED = "batch.ended"
EVENTS = (*EVENT_OF.values(), BATCH_ENDED)
assert set(EVENT_OF) == ENDED
ID = re.compile(r"msg_[A-Za-z0-9_-]{22}")
JITTER = 0.1
"""A pause is longer by up to this share, so that what failed together is not tried again together."""
MOST_RETRY_AFTER_S = 86_400
"""The longest ``Retry-After`` that is respected: as long as the longest pause."""
MOST_LOGGED = 20
"""Tries that are remembered of a delivery: the whole schedule, and as many by hand."""
KEPT_AFTER_END_S = 86_400
"""How long the record of a delivery is kept after its end, and after its job has expired: so nobody records the event anew."""
MOST_BODY_BYTES, MOST_JOBS = 256 << 10, 400
"""A batch whose jobs make more of it is sent without them. A hundred jobs, the most of one request by default, take 150 kB. So many jobs always
make more: they are not even tried."""
_ORIGIN = re.compile(r"https?://[^/?#]+")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. ``status`` is what the receiver answered, None where it gave no answer; then ``error`` says why (``unreachable``, ``slow`` …)."""

    at: float
    duration_s: float
    status: int | None = None
    error: str = ""

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Delivery:
    """``subject`` is the id of the job or the batch, ``data`` what is told of it, ``owner`` and ``client`` are the job's. ``tries`` counts
    those of the present schedule. ``kept_until`` is set at the end."""

    id: str
    event: str
    subject: str
    url: str
    created_at: float
    expires_at: float
    data: dict[str, Any]
    due_at: float
    owner: str = ""
    client: str = ""
    state: DeliveryState = "pending"
    tries: int = 0
    attempts: tuple[Attempt, ...] = ()
    ended_at: float | None = None
    kept_until: float | None = None

    @property
    def is_pending(self) -> bool:
        return self.state == "pending"

    @property
    def receiver(self) -> str:
        """Scheme and host of the address. The rest may hold a secret, so it is shown to nobody."""
        found = _ORIGIN.match(self.url)
        return found[0] if found else ""

    def to_json(self) -> str:
        return records.as_json(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> Delivery:
        record = json.loads(text)
        return records.read(cls, record, attempts=tuple(records.read(Attempt, each) for each in record["attempts"]))


def delivery_id(event: str, subject: str) -> str:
    """``webhook-id``: 128 bits that follow from the event."""
    digest = hashlib.sha256(f"{event} {subject}".encode()).digest()
    return "msg_" + base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def ids_of_job(job_id: str) -> tuple[str, ...]:
    """Of all events that a job can have; it has one of them."""
    return tuple(delivery_id(event, job_id) for event in EVENT_OF.values())


def of_job(job: Job, reader: Reader) -> Delivery:
    """What is sent of a job that has ended."""
    manifest, status = job.manifest, job.status
    event, at = EVENT_OF[status.state], status.finished_at or manifest.created_at
    return _delivery(event, job.id, job, at, manifest.expires_at, public(job, reader))


def of_batch(batch: Batch, jobs: Sequence[Job], last: Job, reader: Reader) -> Delivery:
    """What is sent of a batch whose jobs have all ended; ``last`` is any of them. Too many jobs are left out: their counts stay."""
    at = max((job.status.finished_at or job.manifest.created_at for job in jobs), default=batch.created_at)
    data = public_batch(batch, jobs, reader, lists_jobs=len(jobs) <= MOST_JOBS)
    if len(records.as_json(data).encode()) > MOST_BODY_BYTES:
        data["jobs"] = []
    return _delivery(BATCH_ENDED, batch.id, last, at, batch.expires_at, data)


def _delivery(event: str, subject: str, job: Job, at: float, expires_at: float, data: dict[str, Any]) -> Delivery:
    manifest = job.manifest
    return Delivery(
        id=delivery_id(event, subject),
        event=event,
        subject=subject,
        url=manifest.webhook_url,
        created_at=at,
        expires_at=expires_at,
        data=data,
        due_at=at,
        owner=manifest.owner,
        client=client_of(manifest.client),
    )


def body(delivery: Delivery) -> bytes:
    """The same at every try."""
    return records.as_json({"type": delivery.event, "timestamp": rfc3339(delivery.created_at), "data": delivery.data}).encode()


def after(delivery: Delivery, attempt: Attempt, now: float, pauses_s: Sequence[float], jitter: float, retry_after_s: float = 0.0) -> Delivery:
    """The delivery after a try. ``jitter`` is a random number from 0 to 1; ``retry_after_s`` is what the receiver asked for."""
    tries = delivery.tries + 1
    known = replace(delivery, tries=tries, attempts=(*delivery.attempts, attempt)[-MOST_LOGGED:])
    if attempt.is_delivered:
        return _end(known, "delivered", now)
    if attempt.status == 410:
        return _end(known, "gone", now)
    if tries >= len(pauses_s):
        return _end(known, "exhausted", now)
    pause_s = max(pauses_s[tries] * (1 + JITTER * jitter), min(retry_after_s, MOST_RETRY_AFTER_S))
    return replace(known, due_at=now + pause_s)


def _end(delivery: Delivery, state: DeliveryState, now: float) -> Delivery:
    return replace(delivery, state=state, ended_at=now, kept_until=max(now, delivery.expires_at) + KEPT_AFTER_END_S)


def again(delivery: Delivery, now: float) -> Delivery:
    """The delivery with its schedule from the beginning. Its log stays."""
    return replace(delivery, state="pending", tries=0, due_at=now, ended_at=None, kept_until=None)


def public_delivery(delivery: Delivery, reader: Reader) -> dict[str, Any]:
    """What the API shows of a delivery."""
    is_batch = delivery.event == BATCH_ENDED
    own = reader.path(f"/api/webhooks/deliveries/{delivery.id}")
    return {
        "id": delivery.id,
        "type": delivery.event,
        "job": None if is_batch else delivery.subject,
        "batch": delivery.subject if is_batch else None,
        "receiver": delivery.receiver,
        "state": delivery.state,
        "tries": [_public_attempt(each) for each in delivery.attempts],
        "next_try_at": rfc3339(delivery.due_at) if delivery.is_pending else None,
        "created_at": rfc3339(delivery.created_at),
        "ended_at": rfc3339(delivery.ended_at),
        "links": {"resend": f"{own}/resend"},
    }


def _public_attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "at": rfc3339(attempt.at),
        "status": attempt.status,
        "error": attempt.error or None,
        "duration_ms": round(1000 * attempt.duration_s),
    }


def signed_headers(keys: Iterable[bytes], delivery_id: str, now: float, body: bytes) -> dict[str, str]:
    """The headers of one try (“Webhook Headers” of the specification): a signature by each key, so that receivers may know either of two."""
    timestamp = str(int(now))
    message = b".".join((delivery_id.encode(), timestamp.encode(), body))
    signatures = " ".join(f"v1,{base64.b64encode(hmac.digest(key, message, 'sha256')).decode()}" for key in keys)
    return {"webhook-id": delivery_id, "webhook-timestamp": timestamp, "webhook-signature": signatures}
