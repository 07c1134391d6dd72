"""Send webhooks: try what is due, write down how it went, and decide when it is tried again.

A try is leased, so that one process makes it at a time; a process that dies lets the lease run out. The record in the store says what was tried. A
process that dies between a receiver's answer and that record sends the same again, under the same id.

A slow receiver takes only its own places (``SHARES``), and its client's. One that gives no answer several times in a row is left alone for a while.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from backend import errors
from backend.core import tally, webhooks
from backend.core.pauses import WEBHOOK_PAUSES_S
from backend.core.webhooks import Attempt, Delivery
from backend.flows.context import Context
from backend.ports.delivery_queue import Shares
from backend.ports.receivers import Receivers, Reply

log = logging.getLogger(__name__)
MOST_AT_ONCE = 128
"""Tries of one process at once. Each holds a connection and one body."""
SHARES = Shares(client=32, host=4)
"""Of all processes together. A receiver that takes a second for each gets four a second. Eight dead ones at once do not fill a client's share, and
after their first failure 32 do not."""
LOOK_EVERY_S = 1.0
"""How often a process with nothing to do asks for work."""
LEASE_MARGIN_S = 10.0
"""A lease is this much longer than a try may take: time for the store, and for a loop that is busy."""
FAILURES_BEFORE_PAUSE = 5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 15.0, 600.0
"""How long a host is left alone after its fifth failure in a row, doubled with each further one."""


def run_in_background(call: Callable[[], None]) -> None:
    threading.Thread(target=call, daemon=True).start()


@dataclass(slots=True)
class WebhookSender:
    """One for each gateway process. ``keys`` sign, each for itself; ``timeout_s`` is how long ``receivers`` try at most.

    ``start`` runs a call in the background. Call ``send_due`` again and again.
    """

    context: Context
    receivers: Receivers
    keys: tuple[bytes, ...]
    timeout_s: float = 20.0
    pauses_s: Sequence[float] = WEBHOOK_PAUSES_S
    start: Callable[[Callable[[], None]], None] = run_in_background
    dice: Callable[[], float] = random.random
    _under_way: int = 0
    _has_place: threading.Event = field(default_factory=threading.Event)

    def send_due(self) -> int:
        """Start to try what is due, as far as there are places; how many were started. Raises ``BackendUnavailable``."""
        self._has_place.clear()
        places = MOST_AT_ONCE - self._under_way
        if places <= 0:
            return 0
        ids = self.context.deliveries.claim(places, self.timeout_s + LEASE_MARGIN_S, SHARES)
        for delivery_id in ids:
            self._under_way += 1
            self.start(lambda delivery_id=delivery_id: self._send(delivery_id))  # type: ignore[misc]
        return len(ids)

    def wait(self) -> None:
        """Until a try has ended, or it is time to look again."""
        self._has_place.wait(LOOK_EVERY_S)

    def _send(self, delivery_id: str) -> None:
        """Raises nothing: this is the edge of a background thread. What cannot be written down is tried again when its lease has run out."""
        try:
            self._try(delivery_id)
        except errors.GatewayError as error:
            log.warning("how the webhook %s went could not be recorded, so it will be sent again: %s", delivery_id, error)
        except Exception as error:
            log.error("sending the webhook %s met an unexpected %r", delivery_id, error, exc_info=error)
        finally:
            self._under_way -= 1
            self._has_place.set()

    def _try(self, delivery_id: str) -> None:
        try:
            delivery = self.context.store.delivery(delivery_id)
        except errors.NotFound:
            self.context.deliveries.remove(delivery_id, {})
            return
        if not delivery.is_pending:
            self.context.deliveries.remove(delivery_id, {})
            return
        attempt, retry_after_s = self._post(delivery)
        after = webhooks.after(delivery, attempt, self.context.clock(), self.pauses_s, self.dice(), retry_after_s)
        self.context.store.save_delivery(after)
        self._count_failures(after, attempt)
        amounts = tally.of_webhook(after.state, attempt.status, attempt.error)
        if after.is_pending:
            self.context.deliveries.put_back(after.id, after.due_at, amounts)
        else:
            self.context.deliveries.remove(after.id, amounts)
            log.info("the webhook %s to %s is %s after %s tries", after.id, after.receiver, after.state, after.tries)

    def _post(self, delivery: Delivery) -> tuple[Attempt, float]:
        """The try, and the pause in seconds that the receiver asks for."""
        now, begun_s = self.context.clock(), time.monotonic()
        body = webhooks.body(delivery)
        reply, error = Reply(0), ""
        try:
            reply = self.receivers.post(delivery.url, webhooks.signed_headers(self.keys, delivery.id, now, body), body)
        except errors.GatewayError as failure:
            if failure.is_passing:  # of this side: no try of the receiver's
                raise
            error = failure.variant.removeprefix("url_") or failure.code
            log.info("the webhook %s got no answer from %s: %s", delivery.id, delivery.receiver, failure)
        return Attempt(now, round(time.monotonic() - begun_s, 3), reply.status or None, error), reply.retry_after_s

    def _count_failures(self, delivery: Delivery, attempt: Attempt) -> None:
        """Leave a host alone that gave no answer so often. One that answers, whatever it says, is there."""
        failures = self.context.deliveries.count_failures(delivery.receiver, attempt.status is None)
        if failures >= FAILURES_BEFORE_PAUSE:
            self.context.deliveries.pause(delivery.receiver, min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (failures - FAILURES_BEFORE_PAUSE)))
