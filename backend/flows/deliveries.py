"""The log of webhooks: what was sent of a job or a batch, and once more. Never another owner's."""

from __future__ import annotations

from collections.abc import Iterable

from backend import errors
from backend.core import webhooks
from backend.core.webhooks import BATCH_ENDED, Delivery
from backend.flows.batch import find_batch
from backend.flows.context import Context
from backend.flows.find_job import find
from backend.flows.webhooks import waiting_of


def of_job(context: Context, job_id: str, owner: str) -> list[Delivery]:
    """The record outlives its job. Raises ``NotFound``: unknown, erased and somebody else's look the same."""
    found = _stored(context, webhooks.ids_of_job(job_id), owner)
    if not found:
        find(context, job_id, owner)
    return found


def of_batch(context: Context, batch_id: str, owner: str) -> list[Delivery]:
    """As ``of_job``."""
    found = _stored(context, (webhooks.delivery_id(BATCH_ENDED, batch_id),), owner)
    if not found:
        find_batch(context, batch_id, owner)
    return found


def resend(context: Context, delivery_id: str, owner: str) -> Delivery:
    """Send it once more, under the same id: now, and by the whole schedule if that fails. Raises ``NotFound``, ``StorageFull``."""
    delivery = next(iter(_stored(context, (delivery_id,), owner)), None)
    if delivery is None:
        raise errors.NotFound()
    renewed = webhooks.again(delivery, context.clock())
    context.store.save_delivery(renewed)
    context.deliveries.add([waiting_of(renewed)], hastens=True)
    return renewed


def _stored(context: Context, ids: Iterable[str], owner: str) -> list[Delivery]:
    found = []
    for delivery_id in ids:
        try:
            delivery = context.store.delivery(delivery_id)
        except errors.NotFound:
            continue
        if delivery.owner == owner:
            found.append(delivery)
    return found
