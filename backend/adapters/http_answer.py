"""Answers whose headers have lines that are no header fields: they are passed over, as browsers do.

The standard library ends the headers at such a line, and what follows it is lost: names, redirects, even that the body comes in chunks.
"""

from __future__ import annotations

import http.client
import io
import re
import socket

FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*(?=:)")
"""A field's name (RFC 9110 §5.1). Spaces before the colon are left out, where servers write some."""
MAX_PASSED_OVER = 100
"""Lines of an answer. As many fields are read by the standard library."""


class HeaderLines(io.BufferedReader):
    """While ``is_in_headers``, lines are only those that the standard library can read."""

    is_in_headers = False
    _is_kept = False
    _is_status_due = True
    _passed_over = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        while self.is_in_headers and not self._keeps(line):
            self._passed_over += 1
            if self._passed_over > MAX_PASSED_OVER:
                raise http.client.HTTPException(f"more than {MAX_PASSED_OVER} lines that are no headers")
            line = super().readline(size)
        return self._repaired(line) if self.is_in_headers else line

    def _keeps(self, line: bytes) -> bool:
        """A line that begins with a space continues the one before it. After an empty line, the next answer begins with its status."""
        if not line.startswith((b" ", b"\t")):
            is_empty = not line.strip()
            self._is_kept = is_empty or self._is_status_due or FIELD.match(line) is not None
            self._is_status_due = is_empty
        return self._is_kept

    def _repaired(self, line: bytes) -> bytes:
        end = line[len(line.rstrip(b"\r\n")) :]
        return FIELD.sub(rb"\1", line[: len(line) - len(end)].replace(b"\r", b" "), count=1) + end


class HttpAnswer(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None) -> None:
        super().__init__(sock, debuglevel, method, url)
        self.fp.close()
        self._lines = self.fp = HeaderLines(sock.makefile("rb", buffering=0))

    def begin(self) -> None:
        self._lines.is_in_headers = True
        super().begin()
        self._lines.is_in_headers = False
