"""Receivers of webhooks: one POST each, guarded as the fetching of images is (``http_address``).

Only the answer's status and ``Retry-After`` are read, within few bytes and reads, so that no receiver can hold the loop. No redirect is followed, and
nothing of the gateway's goes along but the signed message. The connection is closed after the answer's head.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import certifi

from backend import __version__, errors
from backend.adapters import http_address
from backend.adapters.http_address import HttpAddress
from backend.core.addresses import Network
from backend.core.options import WEBHOOK_URL
from backend.ports.receivers import Reply

HEAD_BYTES = 16 << 10
"""Of an answer: status and headers. Servers in use stay below 8 KiB."""
READ_BYTES = 4096
MOST_READS = 200
"""Of a head: a server that sends single bytes is given up."""
MOST_INTERIM = 4
"""Answers such as ``103 Early Hints`` before the one that counts."""
STATUS = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: [^\r\n]*)?\r?\n")
HEAD_END = re.compile(rb"\r?\n\r?\n")
RETRY_AFTER = re.compile(rb"(?im)^retry-after:[ \t]*([^\r\n]{1,60}?)[ \t]*\r?$")


@dataclass(frozen=True, slots=True)
class ReceiverRules:
    """``allowed`` are networks that may be told though they are not public. ``timeout_s`` holds for a whole try."""

    allowed: tuple[Network, ...] = ()
    timeout_s: float = 20.0


class HttpReceivers:
    def __init__(self, rules: ReceiverRules) -> None:
        self._rules = rules
        self._tls = ssl.create_default_context()
        self._tls.load_verify_locations(certifi.where())

    def check(self, url: str) -> str:
        """A name that is unknown is refused like one that is forbidden: which of the two it is concerns no client."""
        try:
            address = http_address.parse(url)
        except errors.BadRequest as error:
            raise errors.InvalidOption("webhook_url", option=WEBHOOK_URL, private=str(error)) from error
        try:
            http_address.resolve(address, self._rules.allowed)
        except errors.BadRequest as error:
            raise errors.InvalidOption("webhook_address", option=WEBHOOK_URL, host=address.host[:100], private=str(error)) from error
        return f"{address.scheme}://{address.authority}{address.target}"

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        deadline_s = time.monotonic() + self._rules.timeout_s
        address = http_address.parse(url)
        try:
            with self._connect(address, deadline_s) as sock:
                sock.sendall(_request(address, headers, body))
                return _reply(_Head(sock, deadline_s).final())
        except TimeoutError as error:
            raise errors.BadRequest("url_slow", private=repr(error)) from error
        except OSError as error:
            raise errors.BadRequest("url_unreachable", private=repr(error)) from error

    def _connect(self, address: HttpAddress, deadline_s: float) -> socket.socket:
        try:
            sock = http_address.connect(http_address.resolve(address, self._rules.allowed), address.port)
        except errors.BadRequest as error:
            raise errors.BadRequest("url_unreachable", private=str(error)) from error
        sock.settimeout(_left_s(deadline_s))
        try:
            return self._tls.wrap_socket(sock, server_hostname=address.host) if address.scheme == "https" else sock
        except OSError:
            sock.close()
            raise


class _Head:
    """The head of an answer, read within its budget."""

    def __init__(self, sock: socket.socket, deadline_s: float) -> None:
        self._sock, self._deadline_s = sock, deadline_s
        self._data = b""
        self._reads = 0

    def final(self) -> bytes:
        """Raises ``BadRequest`` for what is no answer, ``OSError``."""
        for _ in range(MOST_INTERIM):
            head = self._next()
            if not head.startswith((b"HTTP/1.1 1", b"HTTP/1.0 1")):
                return head
        raise errors.BadRequest("url_answer", answer="1xx")

    def _next(self) -> bytes:
        while (end := HEAD_END.search(self._data)) is None:
            self._reads += 1
            if len(self._data) >= HEAD_BYTES or self._reads > MOST_READS:
                raise errors.BadRequest("url_answer", answer="head")
            self._sock.settimeout(_left_s(self._deadline_s))
            chunk = self._sock.recv(READ_BYTES)
            if not chunk:
                raise errors.BadRequest("url_answer", answer="–")
            self._data += chunk
        head, self._data = self._data[: end.end()], self._data[end.end() :]
        return head


def _left_s(deadline_s: float) -> float:
    """Raises ``TimeoutError``."""
    left_s = deadline_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError("the deadline is over")
    return left_s


def _request(address: HttpAddress, headers: Mapping[str, str], body: bytes) -> bytes:
    fields = {
        "Host": address.authority,
        "User-Agent": f"webp-gateway/{__version__}",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Accept": "*/*",
        "Connection": "close",
        **headers,
    }
    lines = [f"POST {address.target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def _reply(head: bytes) -> Reply:
    """Raises ``BadRequest``."""
    status = STATUS.match(head)
    if status is None:
        raise errors.BadRequest("url_answer", answer="–")
    stated = RETRY_AFTER.search(head)
    return Reply(int(status[1]), _seconds(stated[1].decode("latin-1")) if stated else 0.0)


def _seconds(retry_after: str) -> float:
    """Of ``Retry-After``: seconds or a date (RFC 9110 §10.2.3). 0 for what is neither."""
    if re.fullmatch(r"[0-9]{1,9}", retry_after):
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, OverflowError, TypeError):
        return 0.0
