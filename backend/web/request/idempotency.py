"""``Idempotency-Key``: a request that is sent again, since its answer was lost, finds what the first one made."""

from __future__ import annotations

import hashlib

from flask import request

from backend import errors
from backend.core.options import Options
from backend.flows.ingest import Sender
from backend.web.request.context import site

IDEMPOTENCY_S = 86_400


def agreed(of_what: str, wanted: Options, sender: Sender) -> str | None:
    """The id that an ``Idempotency-Key`` stands for; None where none was sent. Raises ``InvalidOption`` when it stands for something else."""
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return None
    memo = "once:" + hashlib.sha256(f"{sender.client}\n{key}".encode()).hexdigest()
    print_of = hashlib.sha256(f"{of_what}\n{sorted(wanted.chosen().items())}".encode()).hexdigest()
    return _agreed_id(memo, print_of, site().context.new_id())


def _agreed_id(memo: str, print_of: str, job_id: str) -> str:
    """The id for everybody who uses this key, so that of two requests at once, or of one that is sent again, only one becomes the job.

    Without Redis the id stays the request's own: an image converted twice is better than none.
    """
    memos = site().context.memos
    try:
        if memos.put_if_absent(memo, f"{print_of} {job_id}", IDEMPOTENCY_S):
            return job_id
        known_print, _, known_id = (memos.get(memo) or "").partition(" ")
    except errors.BackendUnavailable:
        return job_id
    if known_print != print_of:
        raise errors.InvalidOption("idempotency", option="Idempotency-Key")
    return known_id
