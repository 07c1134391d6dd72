"""Note how the Janitor's rounds go, so that the health of any process can tell that it cannot work."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from backend import errors
from backend.flows.context import Context
from backend.ports.upkeep import Notes

log = logging.getLogger(__name__)
JOBS, STORE = "jobs", "store"
"""The kinds of rounds: those that need Redis alone, and those over the store."""
LATE_S = {JOBS: 15.0, STORE: 300.0}
"""A round of that kind is late so long after the one before it. One over a page of a slow bucket takes a minute."""


@contextmanager
def noted(context: Context, kind: str) -> Iterator[None]:
    """Write down that a round of this kind succeeded, or which part failed. Where that is Redis, nothing may be written, which shows it too."""
    try:
        yield
    except errors.GatewayError as error:
        _note_or_log(context, kind, str(error.params.get("part", error.code)))
        raise
    context.upkeep.note(kind)


def maintenance_figures(notes: Notes) -> dict[str, Any]:
    """How maintenance goes, for the health: ``ok``, ``late`` or ``failing``, or ``starting`` before its first round; and the scan under way.

    It never makes a gateway unready: what is accepted is stored, and the parts that maintenance needs are looked at by themselves.
    """
    failing = {kind: trouble for kind, (_, trouble) in notes.rounds.items() if trouble}
    is_late = any(age_s > LATE_S.get(kind, math.inf) for kind, (age_s, _) in notes.rounds.items())
    status = "failing" if failing else "late" if is_late else "ok" if notes.rounds else "starting"
    figures: dict[str, Any] = {"status": status}
    figures["seconds_since_round"] = {kind: round(age_s, 1) for kind, (age_s, _) in notes.rounds.items() if age_s < math.inf}
    if failing:
        figures["failing"] = failing
    if notes.scan is not None:
        figures["scan"] = {"why": notes.scan.why, "jobs": notes.scan.jobs, "queued": notes.scan.queued}
    return figures


def _note_or_log(context: Context, kind: str, part: str) -> None:
    try:
        context.upkeep.note(kind, part)
    except errors.BackendUnavailable as error:
        log.debug("that maintenance fails could not be written down: %s", error.private)
