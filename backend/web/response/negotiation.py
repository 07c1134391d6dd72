"""Whether an answer is read by a person or a program, by ``Accept`` (RFC 9110 §12.5.1)."""

from __future__ import annotations

from flask import request

JSON_TYPES = ("application/problem+json", "application/json")
PAGE_TYPES = ("text/html", "text/html;charset=utf-8")


def wants_page() -> bool:
    """Whether HTML is wanted more than JSON. ``*/*``, and no ``Accept`` at all, wants both alike, and gets JSON."""
    accepted = request.accept_mimetypes
    return max(accepted[each] for each in PAGE_TYPES) > max(accepted[each] for each in JSON_TYPES)
