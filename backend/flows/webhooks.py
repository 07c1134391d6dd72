"""Webhooks: record what is to be sent of an end, before anybody hears of that end.

The manifest is the promise: the receiver that it names is told of the end. The record is made in the store, where the end is; Redis only
learns when it is due. A process that dies between the two leaves an end without a record, which ``record_missing`` makes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from backend import errors
from backend.core import webhooks
from backend.core.index_line import IndexLine
from backend.core.job import Job, Status
from backend.core.reader import Reader
from backend.core.webhooks import BATCH_ENDED, Delivery
from backend.ports.delivery_queue import DeliveryQueue, Waiting
from backend.ports.store import Store

log = logging.getLogger(__name__)
PAGE = 500


def record_end(store: Store, deliveries: DeliveryQueue, receiver: Reader, job: Job) -> None:
    """Record what is to be sent of a job that has ended in the store; of a job in a batch, once the whole batch has ended.

    It may be called again, and by several processes: the first record stands. Raises ``StorageFull``, ``BackendUnavailable`` (of the store).
    """
    if not job.manifest.webhook_url:
        return
    delivery = webhooks.of_job(job, receiver) if job.manifest.batch is None else _of_batch(store, receiver, job, job.manifest.batch)
    if delivery is None:
        return
    store.add_delivery(delivery)
    try:
        deliveries.add([waiting_of(delivery)])
    except errors.BackendUnavailable as error:
        log.warning("the webhook %s is recorded and will be sent once Redis is back: %s", delivery.id, error.private)


def _of_batch(store: Store, receiver: Reader, job: Job, batch_id: str) -> Delivery | None:
    """None while a job of the batch has not ended, and where the batch never came about. The last job often ends last, so it is looked at first."""
    try:
        batch = store.batch(batch_id)
    except errors.NotFound:
        return None
    jobs = [job]
    for other_id in reversed(batch.jobs):
        if other_id == job.id:
            continue
        outcome = store.outcome(other_id)
        try:
            manifest = store.manifest(other_id)
        except errors.NotFound:
            continue
        if outcome is None:
            return None
        jobs.append(Job(manifest, outcome))
    places = {job_id: place for place, job_id in enumerate(batch.jobs)}
    return webhooks.of_batch(batch, sorted(jobs, key=lambda each: places[each.id]), job, receiver)


def record_missing(
    store: Store, deliveries: DeliveryQueue, receiver: Reader, ended: Sequence[IndexLine], recorded: set[str], go_on: Callable[[], object]
) -> None:
    """Record the ends of ``ended`` jobs that are not ``recorded``: ids of deliveries, to which those of batches are added.

    ``go_on`` is called before each. Raises ``BackendUnavailable``, ``StorageFull``.
    """
    for line in ended:
        ids = _ids_of(line)
        if not recorded.isdisjoint(ids):
            continue
        go_on()
        try:
            job = Job(store.manifest(line.id), store.outcome(line.id) or Status())
        except errors.NotFound:
            continue
        if job.status.has_ended:
            record_end(store, deliveries, receiver, job)
            recorded.update(ids)


def await_pending(store: Store, deliveries: DeliveryQueue, go_on: Callable[[], object]) -> None:
    """Make all pending deliveries known to Redis. ``go_on`` is called every now and then. Raises ``BackendUnavailable``."""
    pending = iter(store.pending_deliveries())
    while page := list(islice(pending, PAGE)):
        deliveries.add(list(map(waiting_of, page)))
        go_on()


def _ids_of(line: IndexLine) -> Iterable[str]:
    is_of_job = line.webhook_subject == line.id
    return webhooks.ids_of_job(line.id) if is_of_job else (webhooks.delivery_id(BATCH_ENDED, line.webhook_subject),)


def waiting_of(delivery: Delivery) -> Waiting:
    return Waiting(delivery.id, delivery.client, delivery.receiver, delivery.due_at)
