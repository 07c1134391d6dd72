"""Where a list goes on: the last job that was shown, as a text that clients hand back unread."""

from __future__ import annotations

import re

Place = tuple[float, str]
"""When the job was made, and its id."""
PATTERN = "([0-9]{1,12}[.][0-9]{1,9})~([A-Za-z0-9_-]{22})"
SHAPE = re.compile(PATTERN)


def write(place: Place) -> str:
    created_at, job_id = place
    return f"{created_at!r}~{job_id}"


def read(text: str) -> Place:
    """Raises ``ValueError``."""
    match = SHAPE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return float(match[1]), match[2]
