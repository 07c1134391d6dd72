"""Which output format ``format=auto`` means for a client: the one that its ``Accept`` prefers (RFC 9110 §12.5.1)."""

from __future__ import annotations

from flask import request

from backend.core.formats import DEFAULT_OUTPUT, OUTPUT
from backend.core.options import AUTO, Options, for_format

NAMED = ("avif", "webp", "jpeg", "png")
"""Of formats that a client names with equal preference, the first: fewer bytes before more."""
UNNAMED = ("webp", "jpeg", "png", "avif")
"""The same of those that only ``image/*`` or ``*/*`` lets through: every browser of today shows WebP, not every one AVIF."""


def decide(options: Options) -> Options:
    """``options`` with the format that the request's client prefers, where they leave it open."""
    return for_format(options, preferred_format()) if options.format == AUTO else options


def preferred_format() -> str:
    """The default where the client accepts none of them, or says nothing."""
    accepted = request.accept_mimetypes
    named = {value for value, _ in accepted}

    def rank(name: str) -> tuple[float, bool, int]:
        media_type = OUTPUT[name].source.media_type
        is_named = media_type in named
        return accepted.quality(media_type), is_named, -(NAMED if is_named else UNNAMED).index(name)

    best = max(OUTPUT, key=rank)
    return best if accepted.quality(OUTPUT[best].source.media_type) > 0 else DEFAULT_OUTPUT
