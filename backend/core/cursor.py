"""Where a list goes on: the last job that was shown, as a text that clients hand back unread."""

from __future__ import annotations

import base64
import binascii
import re

Place = tuple[float, str]
"""When the job was made, and its id."""
SHAPE = re.compile(r"(\d{1,12}\.\d{1,9}) ([A-Za-z0-9_-]{22})")


def write(place: Place) -> str:
    created_at, job_id = place
    return base64.urlsafe_b64encode(f"{created_at!r} {job_id}".encode()).decode().rstrip("=")


def read(text: str) -> Place:
    """Raises ``ValueError``."""
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeError) as error:
        raise ValueError(text) from error
    match = SHAPE.fullmatch(plain)
    if match is None:
        raise ValueError(text)
    return float(match[1]), match[2]
