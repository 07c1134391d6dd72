"""The receiver that a request names by ``webhook_url``."""

from __future__ import annotations

from dataclasses import replace

from backend import errors
from backend.core.options import WEBHOOK_URL
from backend.flows.ingest import Sender
from backend.web.request.context import web_context

RETRY_S = 300
"""When a client with too many webhooks may come again: its receivers are tried about that often at first."""


def with_receiver(sender: Sender, webhook_url: str) -> Sender:
    """``sender`` with the receiver of its job's end; without one where ``webhook_url`` is empty.

    Raises ``InvalidOption`` where there are no webhooks here, or for an address that may not be told, and ``QuotaExceeded``.
    """
    if not webhook_url:
        return sender
    web = web_context()
    if web.receivers is None:
        raise errors.InvalidOption("webhook_off", option=WEBHOOK_URL)
    url = web.receivers.check(webhook_url)
    if _count(sender.client) >= web.pending_webhooks:
        raise errors.QuotaExceeded("webhooks", limit=web.pending_webhooks, retry_after_s=RETRY_S)
    return replace(sender, webhook_url=url)


def _count(client: str) -> int:
    """Without Redis nothing is limited."""
    try:
        return web_context().context.deliveries.count(client)
    except errors.BackendUnavailable:
        return 0
