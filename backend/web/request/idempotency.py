"""``Idempotency-Key``: a client whose answer was lost sends its request again and finds what the first one made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from flask import g, request

from backend import errors
from backend.core.job import Job
from backend.core.options import Options
from backend.core.turns import client_of
from backend.flows.find_job import find
from backend.flows.ingest import Sender
from backend.web.request.context import flow_context

IDEMPOTENCY_S = 86_400
"""How long a key stands for what it made: a day. Of one client the newest keys are kept (``ports.memos.MOST_IN_GROUP``)."""


def claim_job(content: str, wanted: Options, sender: Sender) -> tuple[str | None, Job | None]:
    """As ``claim_id``, and the job of that id where there is one already."""
    job_id = claim_id(content, wanted, sender)
    if job_id is None:
        return None, None
    try:
        return job_id, find(flow_context(), job_id, sender.owner)
    except errors.NotFound:
        return job_id, None


@contextmanager
def released_on_error(*, but: tuple[type[errors.GatewayError], ...] = ()) -> Iterator[None]:
    """Around what makes a job. The key of a request that made nothing stands for nothing: it is free again. ``but``: errors that leave something."""
    try:
        yield
    except but:
        raise
    except BaseException:
        release()
        raise


def release() -> None:
    """Free the key that this request was the first to claim. Without Redis it stays until it expires."""
    memo, value, client = g.pop("claimed", ("", "", ""))
    if memo:
        with suppress(errors.BackendUnavailable):
            flow_context().memos.delete(memo, value=value, group=client)


def claim_id(content: str, wanted: Options, sender: Sender) -> str | None:
    """The id that the request's key stands for; None where no key was sent. ``content`` identifies what was sent.

    Raises ``InvalidOption`` when the same client used the key for other content or options.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return None
    memo = "once:" + hashlib.sha256(f"{sender.client}\n{key}".encode()).hexdigest()
    receiver = f"\n{sender.webhook_url}" if sender.webhook_url else ""
    fingerprint = hashlib.sha256(f"{content}\n{sorted(wanted.chosen().items())}{receiver}".encode()).hexdigest()
    return _claim(memo, fingerprint, flow_context().new_id(), client_of(sender.client))


def _claim(memo: str, fingerprint: str, new_id: str, client: str) -> str:
    """``new_id`` for the first request with this key, the first one's id for all others: of two at once, only one makes a job.

    Without Redis the id is the request's own: an image converted twice is better than one that is refused.
    """
    memos = flow_context().memos
    try:
        if memos.put_if_absent(memo, f"{fingerprint} {new_id}", IDEMPOTENCY_S, group=client):
            g.claimed = memo, f"{fingerprint} {new_id}", client
            return new_id
        known, _, known_id = (memos.get(memo) or "").partition(" ")
    except errors.BackendUnavailable:
        return new_id
    if known != fingerprint:
        raise errors.InvalidOption("idempotency", option="Idempotency-Key")
    return known_id
