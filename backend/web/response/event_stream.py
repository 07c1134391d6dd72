"""Server-Sent Events (WHATWG HTML §9.2), the same for a job and for a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import Response

from backend.web.response.json_response import json_text

TICK_S = 1.0
"""How long a source of events waits for one before it yields None. So often a stream looks whether its worker is draining."""
HEARTBEAT_S = 15.0
"""A comment this often keeps proxies from closing a quiet stream (nginx: 60 s)."""
RETRY_MS = 500
"""After so long a client connects again when a stream breaks off."""


@dataclass(frozen=True, slots=True)
class Event:
    """``data`` is sent as JSON. ``id``: where a client resumes. Without ``name`` it is the stream's plain message."""

    id: int
    data: dict[str, Any]
    name: str = ""


def event_stream(events: Iterable[Event | None], close: Callable[[], None]) -> Response:
    """``events`` yields None after each ``TICK_S`` without an event. ``close`` is called however the stream ends."""
    response = Response(_lines(events), content_type="text/event-stream; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache, no-transform"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would buffer it
    response.call_on_close(close)
    return response


def _lines(events: Iterable[Event | None]) -> Iterator[str]:
    yield f"retry: {RETRY_MS}\n\n"
    silent_s = 0.0
    for event in events:
        if event is not None:
            silent_s = 0.0
            name = f"event: {event.name}\n" if event.name else ""
            yield f"id: {event.id}\n{name}data: {json_text(event.data)}\n\n"
            continue
        silent_s += TICK_S
        if silent_s >= HEARTBEAT_S:
            silent_s = 0.0
            yield ": still here\n\n"
