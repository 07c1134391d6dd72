"""Remember a stored job that Redis may not know: it came while Redis was out of reach, or was found in the store alone. The process queues it as soon
as Redis answers (``queue_later``)."""

from __future__ import annotations

from backend.flows.context import Context

MOST_REMEMBERED = 10_000
"""Ids that a process remembers, 100 bytes each. Beyond them the store is scanned once Redis is back."""


def remember(context: Context, job_id: str) -> None:
    unqueued = context.unqueued
    if len(unqueued.ids) < MOST_REMEMBERED:
        unqueued.ids[job_id] = None
    else:
        unqueued.has_more = True
