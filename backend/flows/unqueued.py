"""Remember a job that is acknowledged while Redis is out of reach: the process queues it as soon as Redis is back (``queue_later``)."""

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
