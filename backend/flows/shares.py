"""One client's share: its jobs under way, the bytes of its day, its unfinished resumable uploads.

A request that is beyond a share is refused before its body is read. What a process knows of a client may be ``SEEN_S`` old while the client is far
from its limits; near them it asks each time. The queue itself decides on jobs, in the step that queues one, so their number is exact. Bytes are
told to Redis once a second: a client may send that much more than its day's share. Without Redis nothing is limited.
"""

from __future__ import annotations

import logging

from backend import errors
from backend.core.client_limits import ClientLimits
from backend.core.resumable import UploadInfo
from backend.core.turns import client_of
from backend.flows.context import Context, SeenUse
from backend.ports.client_uses import ClientUse

log = logging.getLogger(__name__)
SEEN_S = 1.0
AMPLE_JOBS, AMPLE_OF_BYTES = 100, 0.8
"""With room for so many more jobs, and less than this part of its bytes, a client's use is not asked for at each request."""
MAX_SEEN = 1000
"""Clients that a process remembers."""
JOBS_RETRY_S = 5
UPLOADS_RETRY_S = 60
"""When it pays to try again: jobs end within seconds, uploads within minutes."""


def check(context: Context, client: str, limits: ClientLimits, *, jobs: int = 1) -> None:
    """Check that a client may have ``jobs`` more, and send bytes. Raises ``QuotaExceeded``."""
    seen = look(context, client, limits)
    if seen is None:
        return
    if jobs and seen.jobs + jobs > limits.jobs:
        raise errors.QuotaExceeded("jobs", limit=limits.jobs, retry_after_s=JOBS_RETRY_S)
    if _bytes_of_day(context, client, seen) >= limits.bytes_per_day:
        raise errors.QuotaExceeded("bytes", limit_bytes=limits.bytes_per_day, retry_after_s=max(1, seen.day_left_s))


def look(context: Context, client: str, limits: ClientLimits) -> ClientUse | None:
    """What the client uses, as of a moment ago; None without Redis. The depth of the queue is known anew with it."""
    now, known = context.clock(), context.clients.seen.get(client)
    if known is not None and 0 <= now - known.at_s < SEEN_S and _is_ample(context, client, known.use, limits):
        return known.use
    try:
        use = context.client_uses.look(client)
    except errors.BackendUnavailable:
        return None
    context.queue_depth.waiting, context.queue_depth.at_s = use.waiting, now
    _remember(context, client, SeenUse(use, now))
    return use


def _remember(context: Context, client: str, seen: SeenUse) -> None:
    known = context.clients.seen
    known.pop(client, None)
    known[client] = seen
    if len(known) > MAX_SEEN:
        del known[next(iter(known))]


def _is_ample(context: Context, client: str, use: ClientUse, limits: ClientLimits) -> bool:
    return use.jobs + AMPLE_JOBS <= limits.jobs and _bytes_of_day(context, client, use) < AMPLE_OF_BYTES * limits.bytes_per_day


def _bytes_of_day(context: Context, client: str, use: ClientUse) -> int:
    return use.bytes_of_day + context.clients.untold_bytes[client]


def count_bytes(context: Context, client: str, count: int) -> None:
    """Count what a client sent; ``tell_bytes`` tells Redis."""
    if count:
        context.clients.untold_bytes[client] += count


def tell_bytes(context: Context) -> None:
    """Call it about once a second. Without Redis the bytes are kept for the next time."""
    untold = context.clients.untold_bytes
    if not untold:
        return
    told = dict(untold)
    untold.clear()
    for client in told:
        context.clients.seen.pop(client, None)
    try:
        context.client_uses.add_bytes(told)
    except errors.BackendUnavailable as error:
        log.info("the bytes of %s clients are not counted yet: %s", len(told), error.private)
        untold.update(told)


def admit_upload(context: Context, info: UploadInfo, expires_at: float, limits: ClientLimits) -> None:
    """Count a resumable upload that is about to be made. Raises ``QuotaExceeded``."""
    try:
        is_admitted = context.client_uses.add_uploads(client_of(info.client), [(info.id, expires_at)], limits.uploads)
    except errors.BackendUnavailable:
        return
    if not is_admitted:
        raise errors.QuotaExceeded("uploads", limit=limits.uploads, retry_after_s=UPLOADS_RETRY_S)


def release_upload(context: Context, info: UploadInfo) -> None:
    """The upload is a job now, or erased."""
    try:
        context.client_uses.remove_upload(client_of(info.client), info.id)
    except errors.BackendUnavailable as error:
        log.info("the upload %s counts as unfinished until it expires: %s", info.id, error.private)
