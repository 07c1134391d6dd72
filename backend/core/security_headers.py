"""The security headers of every answer, whichever room gives it: a route, Socket.IO, or the server before there is a request.

What an answer sets itself stays, so that a page has a policy of its own, and a result may be shown on another site.
"""

from __future__ import annotations

from collections.abc import Iterable

Headers = tuple[tuple[str, str], ...]

PAGE_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; connect-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
"""For our own pages, their scripts and styles."""
USER_CONTENT_POLICY = "default-src 'none'; sandbox"
"""For bytes that came from clients: a browser runs nothing of them, whatever they are."""
NO_PAGE_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""For an answer that is never a page, such as JSON."""

NO_PAGE: Headers = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", NO_PAGE_POLICY),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
"""All of them. ``frame-ancestors`` says what ``X-Frame-Options`` would. ``Strict-Transport-Security`` is the proxy's, which alone speaks TLS."""
BY_NAME = tuple((each[0].lower(), each) for each in NO_PAGE)


def with_security(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """``headers`` and what they lack."""
    own = list(headers)
    names = {name.lower() for name, _ in own}
    return own + [each for name, each in BY_NAME if name not in names]
