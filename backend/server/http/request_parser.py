"""Gunicorn's own request parser, with limits on how slowly a client may send, and a body of ours (``request_body``)."""

from __future__ import annotations

from typing import Any

from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser

from backend.server.connection_limits import ConnectionLimits
from backend.server.http.read_timeouts import BodyTimeout, HeadTimeout
from backend.server.http.request_body import RequestBody
from backend.server.http.socket_reader import TimedUnreader


class BoundedRequest(Request):  # type: ignore[misc]
    """A request whose body the application may leave unread. The connection is closed then; Gunicorn would read all of it first."""

    body: Any
    _expected_100_continue: bool

    def __init__(self, limits: ConnectionLimits, *args: Any) -> None:
        self._limits = limits
        super().__init__(*args)

    def set_body_reader(self) -> None:
        super().set_body_reader()
        self.unreader.timeout = BodyTimeout(self._limits)
        self.body = RequestBody(self.unreader, self.body.reader, self._limits, self._expected_100_continue)
        self._expected_100_continue = False  # Gunicorn would send it at once, though the application may never read the body.

    def should_close(self) -> bool:
        """Gunicorn's response asks this when it writes its head, and again at the end of the request."""
        self.body.withdraw_continue()
        return bool(self.unreader.is_last or self.body.has_unread or super().should_close())


class BoundedParser(RequestParser):  # type: ignore[misc]
    """The requests of one connection, one after the other."""

    def __init__(self, cfg: Any, unreader: TimedUnreader, address: Any, limits: ConnectionLimits) -> None:
        super().__init__(cfg, unreader.sock, address)
        self.unreader = unreader
        self._limits = limits

    def mesg_class(self, *args: Any) -> BoundedRequest:
        return BoundedRequest(self._limits, *args)

    def next_request(self, first_byte_s: float) -> BoundedRequest | None:
        """None at a good end. Raises ``TooSlow`` when the first byte does not come within ``first_byte_s``, or the head not in its time."""
        has_begun = self.unreader.buffered_bytes > 0
        self.unreader.timeout = HeadTimeout(first_byte_s, self._limits.header_timeout_s, has_begun)
        return next(self, None)

    @property
    def has_begun_head(self) -> bool:
        return isinstance(self.unreader.timeout, HeadTimeout) and self.unreader.timeout.has_begun
