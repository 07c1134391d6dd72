"""``Idempotency-Key``: a client whose answer was lost sends its request again and finds what the first one made."""

from __future__ import annotations

import hashlib

from flask import request

from backend import errors
from backend.core.job import Job
from backend.core.options import Options
from backend.flows.find_job import find
from backend.flows.ingest import Sender
from backend.web.request.context import flow_context

IDEMPOTENCY_S = 86_400
"""How long a key stands for what it made: a day."""


def claim_job(content: str, wanted: Options, sender: Sender) -> tuple[str | None, Job | None]:
    """As ``claim_id``, and the job of that id where there is one already."""
    job_id = claim_id(content, wanted, sender)
    if job_id is None:
        return None, None
    try:
        return job_id, find(flow_context(), job_id, sender.owner)
    except errors.NotFound:
        return job_id, None


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
    return _claim(memo, fingerprint, flow_context().new_id())


def _claim(memo: str, fingerprint: str, new_id: str) -> str:
    """``new_id`` for the first request with this key, the first one's id for all others: of two at once, only one makes a job.

    Without Redis the id is the request's own: an image converted twice is better than one that is refused.
    """
    memos = flow_context().memos
    try:
        if memos.put_if_absent(memo, f"{fingerprint} {new_id}", IDEMPOTENCY_S):
            return new_id
        known, _, known_id = (memos.get(memo) or "").partition(" ")
    except errors.BackendUnavailable:
        return new_id
    if known != fingerprint:
        raise errors.InvalidOption("idempotency", option="Idempotency-Key")
    return known_id
