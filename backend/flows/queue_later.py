"""Queue later: stored jobs that Redis may not know (``unqueued``), within a second or two, or after Redis is back.

Whether a call that got no answer was carried out does not matter: a job is queued once, by its id. If the process dies first, the scan that follows
each outage finds them.
"""

from __future__ import annotations

import logging
from itertools import islice

from backend.core.scan import OUTAGE
from backend.flows.context import Context
from backend.flows.queue_stored import queue_stored

log = logging.getLogger(__name__)
QUEUED_AT_ONCE = 200


def queue_remembered(context: Context) -> int:
    """Queue them, if Redis is back; how many were. Call it about once a second. Raises ``BackendUnavailable``, and then remembers the others."""
    unqueued, queued = context.unqueued, 0
    while ids := list(islice(unqueued.ids, QUEUED_AT_ONCE)):
        done = queue_stored(context, ids, begun=0)
        queued += done.queued
        for job_id in ids:
            unqueued.ids.pop(job_id, None)
        if done.unread:
            unqueued.has_more = True
    if unqueued.has_more:
        context.upkeep.want_scan(OUTAGE, 0.0)
        unqueued.has_more = False
    if queued:
        log.info("%s jobs that were in the store alone are queued now", queued)
    return queued
