"""The security headers of every answer, whichever room gives it: a route, Socket.IO, or the server before there is a request.

Of a name that an answer sets itself, only the rows of ``ALWAYS`` are replaced.
"""

from __future__ import annotations

Headers = tuple[tuple[str, str], ...]

PAGE_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; connect-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
USER_CONTENT_POLICY = "default-src 'none'; sandbox"
"""For bytes that came from clients: a browser runs nothing of them, whatever they are."""
NO_PAGE_POLICY = "default-src 'none'; frame-ancestors 'none'"
"""For an answer that is never a page, such as a problem in JSON."""

ALWAYS: Headers = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
UNLESS_SET: Headers = (
    ("Content-Security-Policy", PAGE_POLICY),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
NO_PAGE: Headers = (*ALWAYS, ("Content-Security-Policy", NO_PAGE_POLICY), ("Cross-Origin-Resource-Policy", "same-origin"))
"""All of them, for the answers that the server gives by itself."""
