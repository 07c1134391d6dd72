"""Whose page may ask: a table of what browsers and other clients send, and the verdict."""

from __future__ import annotations

import pytest

from backend.core.cross_site import Claim, foreign_site, is_guarded, is_own

HERE, FRIEND, EVIL = "gateway.lan:5000", "https://friend.example", "https://evil.example"
ADMITTED = frozenset((FRIEND,))


@pytest.mark.parametrize(
    ("fetch_site", "origin", "foreign"),
    [
        # No browser: curl, libraries.
        (None, None, None),
        # A browser over TLS, or to a loopback name.
        ("same-origin", f"http://{HERE}", None),
        ("same-origin", None, None),
        ("same-origin", "null", None),  # a form on a page that sends no referrer
        ("same-origin", "https://outside.example", None),  # a proxy that passes another Host on
        ("none", None, None),
        ("none", "chrome-extension://abcdefgh", None),
        ("same-site", "http://gateway.lan:8000", "http://gateway.lan:8000"),
        ("same-site", f"http://{HERE}", f"http://{HERE}"),  # it came by another site, through a redirect
        ("cross-site", EVIL, EVIL),
        ("cross-site", "null", "null"),
        ("cross-site", None, "cross-site"),
        ("cross-site", "", "cross-site"),
        ("cross-site", FRIEND, None),
        ("same-site", FRIEND, None),
        ("Same-Origin", None, "Same-Origin"),
        ("same-origin,same-origin", None, "same-origin,same-origin"),
        ("", None, None),
        ("", EVIL, EVIL),
        ("anything", None, "anything"),
        # A browser without TLS, or an old one.
        (None, f"http://{HERE}", None),
        (None, f"https://{HERE}", None),
        (None, f"HTTP://{HERE.upper()}", "HTTP://GATEWAY.LAN:5000"),
        (None, "http://gateway.lan", "http://gateway.lan"),
        (None, "http://gateway.lan:5001", "http://gateway.lan:5001"),
        (None, f"http://{HERE}.evil.example", f"http://{HERE}.evil.example"),
        (None, f"http://evil.example/{HERE}", f"http://evil.example/{HERE}"),
        (None, f"http://x@{HERE}", f"http://x@{HERE}"),
        (None, f"ftp://{HERE}", f"ftp://{HERE}"),
        (None, f"http://{HERE},http://{HERE}", f"http://{HERE},http://{HERE}"),
        (None, HERE, HERE),
        (None, EVIL, EVIL),
        (None, FRIEND, None),
        (None, f"{FRIEND}.evil.example", f"{FRIEND}.evil.example"),
        (None, "null", "null"),
        (None, "file://", "file://"),
        (None, "", ""),
    ],
)
def test_a_page_of_another_site_is_told_from_everybody_else(fetch_site: str | None, origin: str | None, foreign: str | None) -> None:
    assert foreign_site(Claim(HERE, "http", origin, fetch_site), ADMITTED) == foreign


@pytest.mark.parametrize("fetch_site", [None, "cross-site"])
def test_a_page_without_an_origin_of_its_own_may_be_named_too(fetch_site: str | None) -> None:
    assert foreign_site(Claim(HERE, "http", "null", fetch_site), frozenset(("null",))) is None


@pytest.mark.parametrize(
    ("origin", "host", "scheme", "expected"),
    [
        ("http://a.example", "a.example", "http", True),
        ("http://a.example", "a.example:80", "http", True),
        ("https://a.example", "a.example", "https", True),
        ("https://a.example", "a.example:443", "https", True),
        ("https://a.example:8443", "a.example:8443", "https", True),
        ("https://a.example", "a.example", "http", True),  # a proxy ended TLS and does not say so
        ("https://a.example", "a.example", "wss", True),
        ("http://a.example", "a.example", "https", False),  # anybody on the way can write this page
        ("http://a.example", "a.example", "wss", False),
        ("http://a.example:443", "a.example", "https", False),
        ("https://a.example", "a.example:80", "http", False),
        ("http://[::1]:5000", "[::1]:5000", "http", True),
        ("http://[::1]", "[::1]", "http", True),
        ("http://[::1]", "[::1]:80", "http", True),
        ("http://[::1]:5000", "[::1]", "http", False),
        ("http://A.example", "a.EXAMPLE", "http", True),
        ("http://", "", "http", False),
        ("null", "null", "http", False),
    ],
)
def test_a_page_is_our_own_if_it_came_from_the_host_that_is_asked(origin: str, host: str, scheme: str, expected: bool) -> None:
    assert is_own(origin, host, scheme) is expected


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        *((method, "/api/jobs", True) for method in ("POST", "PUT", "PATCH", "DELETE", "get", "ANYTHING")),
        *((method, "/api/jobs", False) for method in ("GET", "HEAD", "OPTIONS")),
        *(("GET", path, True) for path in ("/socket.io/", "/socket.io", "/api/jobs/1/ws", "/api/jobs/1/events", "/api/batches/1/events")),
        *(("GET", path, False) for path in ("/", "", "/api/jobs/1/result", "/events/of/old", "/static/socket.io/client.js")),
        ("POST", "/", True),
    ],
)
def test_what_changes_something_or_stays_open_is_guarded(method: str, path: str, expected: bool) -> None:
    assert is_guarded(method, path) is expected
