"""Gunicorn's own request parser, with a bound on a head, limits on how slowly a client may send, and a body of ours (``request_body``).

``Host`` is held to RFC 9112 §3.2. No header sets the scheme, the path or ``SCRIPT_NAME``: those that proxies send are read by the application, as
``GATEWAY_PROXY_HOPS`` says."""

from __future__ import annotations

from typing import Any

from gunicorn.http.body import ChunkedReader
from gunicorn.http.errors import InvalidHeader
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser

from backend.core.host_header import authority_of, is_host_header
from backend.server.connection_limits import ConnectionLimits
from backend.server.http.read_timeouts import BodyTimeout, HeadTimeout
from backend.server.http.request_body import RequestBody
from backend.server.http.request_head import gather_head
from backend.server.http.socket_reader import TimedUnreader


class InvalidHost(InvalidHeader):  # type: ignore[misc]
    """``Host`` is missing, empty or malformed. Gunicorn refuses a second one by itself."""


class BoundedRequest(Request):  # type: ignore[misc]
    """A request whose body the application may leave unread. The connection is closed then; Gunicorn would read all of it first."""

    body: Any
    headers: list[tuple[str, str]]
    _expected_100_continue: bool

    def __init__(self, limits: ConnectionLimits, *args: Any) -> None:
        self._limits = limits
        super().__init__(*args)

    def parse(self, unreader: TimedUnreader) -> bytes:
        """What was read beyond the head. Raises Gunicorn's errors."""
        has_proxy_line = self.cfg.proxy_protocol != "off" and self.req_number == 1
        gather_head(unreader, most_bytes=self._limits.head_bytes, line_bytes=self.limit_request_line, has_proxy_line=has_proxy_line)
        beyond: bytes = super().parse(unreader)
        self.headers = [(name, value) for name, value in self.headers if "_" not in name]
        self._settle_host()
        return beyond

    def _settle_host(self) -> None:
        """Raises ``InvalidHost``. The host of a target in absolute form replaces the header (RFC 9112 §3.2.2)."""
        hosts = [value for name, value in self.headers if name == "HOST"]
        authority = authority_of(self.uri)
        if not (hosts or self.version < (1, 1)) or not all(map(is_host_header, hosts if authority is None else [*hosts, authority])):
            raise InvalidHost("HOST", req=self)
        if authority is not None:
            self.headers = [*((name, value) for name, value in self.headers if name != "HOST"), ("HOST", authority)]

    def _peer_trusted_for_forwarded(self) -> tuple[dict[str, str], list[str]]:
        """No peer: Gunicorn would let those on this host set the scheme, the path and ``SCRIPT_NAME``."""
        return {}, []

    def set_body_reader(self) -> None:
        super().set_body_reader()
        if isinstance(self.body.reader, ChunkedReader):
            self.body.reader.limit_trailer_section = self._limits.head_bytes
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
