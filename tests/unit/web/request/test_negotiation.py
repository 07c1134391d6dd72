"""``format=auto``: the format that a client's ``Accept`` prefers. The headers are those that browsers and tools send."""

from __future__ import annotations

import pytest
from flask import Flask

from backend.core.options import Options
from backend.web.request.negotiation import decide, preferred_format

CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
FIREFOX = "image/avif,image/jxl,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
SAFARI_13 = "image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5"
SAFARI_14 = "image/webp,image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "webp"),
        ("", "webp"),
        ("*/*", "webp"),
        ("image/*", "webp"),
        (CHROME, "avif"),
        (FIREFOX, "avif"),
        (SAFARI_14, "webp"),
        (SAFARI_13, "png"),
        ("image/jpeg", "jpeg"),
        ("IMAGE/JPEG", "jpeg"),
        ("image/jpeg, image/png", "jpeg"),
        ("image/png;q=0.9, image/jpeg;q=0.8", "png"),
        ("image/avif;q=0.5, image/webp", "webp"),
        ("image/avif;q=0.5, image/*;q=0.4", "avif"),
        ("image/webp;q=0, */*", "jpeg"),
        ("image/webp;q=0, image/jpeg;q=0, */*;q=0.1", "png"),
        ("image/*;q=0.2, image/jpeg;q=0.1", "webp"),
        ("*/*;q=0.1, image/jpeg;q=0.1", "jpeg"),
        ("application/json", "webp"),
        ("text/html,application/xhtml+xml", "webp"),
        ("image/avif;q=0, image/webp;q=0, image/jpeg;q=0, image/png;q=0", "webp"),
        ("nonsense", "webp"),
        (",;=;q", "webp"),
        ("image/avif;q=0.3" + ",image/x-1" * 5000, "avif"),
    ],
)
def test_the_format_is_the_one_that_the_client_prefers(accept: str | None, expected: str) -> None:
    headers = {} if accept is None else {"Accept": accept}
    with Flask(__name__).test_request_context("/", headers=headers):
        assert preferred_format() == expected


def test_a_format_that_was_asked_for_stays() -> None:
    with Flask(__name__).test_request_context("/", headers={"Accept": "image/avif"}):
        assert decide(Options(format="png")) == Options(format="png")
        assert decide(Options(format="auto", speed=8)) == Options(format="avif", speed=8)
    with Flask(__name__).test_request_context("/", headers={"Accept": "image/jpeg"}):
        assert decide(Options(format="auto", speed=8, quality=50)) == Options(format="jpeg", quality=50)
