"""The events that a job's subscribers get, as one table. Socket.IO, Server-Sent Events and WebSocket send each row that a change matches.

After a change, the rows are sent in the order of the table. ``job`` comes first: it carries the whole state, and a client needs no other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backend.core.job import Job
from backend.core.public_job import public
from backend.core.reader import Reader

SEQ_DIGITS = 15
"""A ``seq`` that a client hands back has at most so many: JavaScript counts no further in whole numbers."""


@dataclass(frozen=True, slots=True)
class JobEvent:
    """``is_for`` says whether this state of a job is such an event; ``payload`` makes its JSON for a reader."""

    name: str
    is_for: Callable[[Job], bool]
    payload: Callable[[Job, Reader], dict[str, Any]]


JOB_EVENTS: tuple[JobEvent, ...] = (
    JobEvent("job", lambda _job: True, public),
)
STATE = JOB_EVENTS[0]
"""Server-Sent Events send it without a name, as the stream's plain message."""


def events_of(job: Job) -> tuple[JobEvent, ...]:
    """What is sent of a job that has changed to this state."""
    return tuple(each for each in JOB_EVENTS if each.is_for(job))
