"""Note how the Janitor's rounds go, so that the health of any process can tell that it cannot work."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from backend import errors
from backend.flows.context import Context

log = logging.getLogger(__name__)


@contextmanager
def noted(context: Context, kind: str) -> Iterator[None]:
    """Write down that a round of this kind succeeded, or which part failed. Where that is Redis, nothing may be written, which shows it too."""
    try:
        yield
    except errors.GatewayError as error:
        _note_or_log(context, kind, str(error.params.get("part", error.code)))
        raise
    context.upkeep.note(kind)


def _note_or_log(context: Context, kind: str, part: str) -> None:
    try:
        context.upkeep.note(kind, part)
    except errors.BackendUnavailable as error:
        log.debug("that maintenance fails could not be written down: %s", error.private)
