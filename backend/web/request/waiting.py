"""Headers of a client that waits for news: how long, and after which change."""

from __future__ import annotations

import re

from flask import request

from backend import errors
from backend.core.events import SEQ_DIGITS
from backend.web.request.peer import peer

MAX_WAIT_S = 30
SHORT_WAIT_S = 2
"""Where a request that waits keeps a worker, or one of its threads, from the others. Its client asks again, as after any wait."""
PREFER_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\"?")


def wait_s() -> int | None:
    """The seconds of ``Prefer: wait=N`` (RFC 7240), at most ``MAX_WAIT_S``, or ``SHORT_WAIT_S`` under a worker class that cannot hold them."""
    match = PREFER_WAIT.search(request.headers.get("Prefer", ""))
    return min(int(match[1]), MAX_WAIT_S if peer().can_hold("streams") else SHORT_WAIT_S) if match else None


def result_wait_s() -> int | None:
    """As ``wait_s``. A request that wants an image above all, as of an ``<img>``, waits too: an element can neither say so nor ask again."""
    asked_s = wait_s()
    wants_image = (request.accept_mimetypes.best or "").startswith("image/")
    return MAX_WAIT_S if asked_s is None and wants_image else asked_s


def last_seq(text: str | None, name: str) -> int | None:
    """The ``seq`` that a client has already. Raises ``BadRequest``, which names the header or parameter ``name``."""
    if text is None or text == "":
        return None
    if not re.fullmatch(r"[0-9]+", text) or len(text) > SEQ_DIGITS:
        raise errors.BadRequest("header", header=name, accepted="0, 1, 2, …")
    return int(text)
