"""Who may open a socket from a page."""

from __future__ import annotations

from typing import Any

import pytest

from backend.core.api_keys import KeyTable
from backend.web.request import origins
from backend.web.request.context import WebContext
from tests.unit.web.conftest import Web

FRIEND, PUBLIC = "https://friend.example", "https://public.example"


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (FRIEND, True),
        (PUBLIC, True),
        ("http://inside:5000", True),
        ("https://inside:5000", True),
        ("https://seen.example", True),
        ("https://friend.example.evil", False),
        ("http://inside:5001", False),
        ("null", False),
        ("file://", False),
        ("", False),
        (None, False),
    ],
)
def test_our_own_pages_and_those_of_named_origins_may(web: Web, origin: str | None, expected: bool) -> None:
    """Our own too where others are named: they could not, and the page went without live updates."""
    known = WebContext(web.here.context, web.here.follower, web.app.extensions["webp-gateway"].frontend, "1", KeyTable(), (FRIEND,), PUBLIC)
    environ: dict[str, Any] = {"HTTP_HOST": "inside:5000", "HTTP_X_FORWARDED_HOST": "seen.example, other.example"}
    assert origins.may_connect(known, origin, environ) is expected


@pytest.mark.parametrize("origin", ["null", "file://", "", "https://"])
def test_an_origin_without_a_host_is_nobodys(web: Web, origin: str) -> None:
    known = WebContext(web.here.context, web.here.follower, web.app.extensions["webp-gateway"].frontend, "1")
    for environ in ({}, {"HTTP_HOST": ""}, {"HTTP_HOST": "null"}):
        assert not origins.may_connect(known, origin, environ)
