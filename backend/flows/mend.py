"""Mend the live state: find jobs that lost a key in Redis, evicted or deleted, and put them where they belong.

A job whose state is known and whose place is lost gets its place again from Redis alone. One that is named in the queue and unknown is looked up in
the store. What nothing in Redis names any more is found by a scan of the store (``scan_store``). The signs say when to look at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from backend import errors
from backend.core.scan import EVICTED, SHRUNK
from backend.flows.conclude import conclude
from backend.flows.context import Context
from backend.flows.find_job import find_stored
from backend.flows.queue_stored import queue_stored
from backend.flows.unqueued import remember
from backend.ports.upkeep import Signs

log = logging.getLogger(__name__)
LEAST_EVERY_S, MOST_EVERY_S = 5.0, 300.0
EASE, HASTE = 100, 10
"""A look begins so many times its own length after the one before it: usually, and when there is a sign. That bounds its share of Redis' time to 1 %,
and to 10 %."""
MOST_STRAYS = 100_000
"""Found in one look; the others are found by the next. Each takes some 100 bytes."""
MENDED_AT_ONCE = 100
SETTLE_S = 2.0
"""A scan begins so long after its sign: what happens to Redis often goes on for a moment."""


@dataclass(slots=True)
class Mender:
    """Call ``mend_if_due`` about once a second."""

    context: Context
    _signs: Signs = field(init=False, default_factory=Signs)
    _seen_s: float = field(init=False, default=0.0)
    _took_s: float = field(init=False, default=0.0)

    def mend_if_due(self, go_on: Callable[[], object]) -> int:
        """How many jobs were mended. Raises ``BackendUnavailable``."""
        now, is_alarming = self.context.clock(), self._is_alarming()
        pause_s = max(1.0, HASTE * self._took_s) if is_alarming else min(MOST_EVERY_S, max(LEAST_EVERY_S, EASE * self._took_s))
        if now - self._seen_s < pause_s:
            return 0
        try:
            return mend(self.context, go_on)
        finally:
            self._seen_s = self.context.clock()
            self._took_s = self._seen_s - now

    def _is_alarming(self) -> bool:
        """Whether keys that hold waiting jobs were lost. Asks for a scan where others may be, which only the store can tell."""
        upkeep, before = self.context.upkeep, self._signs
        seen = self._signs = upkeep.signs(before.serial)
        if before.evicted and seen.evicted > before.evicted:
            upkeep.want_scan(EVICTED, SETTLE_S)
        elif seen.indexed < before.indexed / 2 or seen.listed < before.listed / 2:
            upkeep.want_scan(SHRUNK, SETTLE_S)
        return seen.waiting != seen.queued or seen.evicted > before.evicted


def mend(context: Context, go_on: Callable[[], object] = lambda: None) -> int:
    """Look at all jobs that Redis knows; how many were mended. The oldest come first. Raises ``BackendUnavailable``."""
    found: list[tuple[float, str]] = []
    cursor, is_begun = 0, False
    while (cursor or not is_begun) and len(found) < MOST_STRAYS:
        go_on()
        cursor, strays = context.upkeep.strays(cursor)
        found, is_begun = found + strays, True
    ids = [job_id for _, job_id in sorted(found)]
    mended = 0
    for first in range(0, len(ids), MENDED_AT_ONCE):
        go_on()
        mended += context.upkeep.mend(ids[first : first + MENDED_AT_ONCE])
    mended += _find_lost(context, go_on)
    if mended:
        log.warning("Redis had lost keys of %s jobs; they are where they belong again", mended)
    return mended


def _find_lost(context: Context, go_on: Callable[[], object]) -> int:
    ids = context.upkeep.lost()
    for job_id in ids:
        remember(context, job_id)  # Redis names some of them no more; the store may not answer now
    done = queue_stored(context, ids, go_on)
    for job_id in done.gone:
        _settle(context, job_id)
    return done.queued


def _settle(context: Context, job_id: str) -> None:
    """One that the store has no more is forgotten, and one that has ended is known as that."""
    try:
        job = find_stored(context, job_id)
        if job.status.has_ended:
            conclude(context, job)
    except errors.NotFound:
        context.jobs.forget(job_id)
    except errors.GatewayError as error:
        log.warning("job %s is named in Redis, and how it stands cannot be told now: %s", job_id, error)
