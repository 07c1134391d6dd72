"""One exchange with another server by HTTP(S): a request, and the answer to it. For fetching, and for what else goes to addresses of strangers.

The name is resolved once for each request, and all addresses that it has must be allowed. The connection is made to such an address and not to the
name, so that a second answer of a name server has no effect. TLS is verified against the name. Nothing of the gateway's goes along: no proxy,
cookie, key or referrer. No redirect is followed: each is another exchange, checked in the same way.

Whatever the other server sends, and however fast, the exchange ends by its deadline and leaves the loop to others meanwhile (``deadline``,
``answer``). It can be used under gevent and in a thread.
"""

from __future__ import annotations

import functools
import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import certifi

from backend import __version__
from backend.adapters.http import wire as http_wire
from backend.adapters.http.address import HttpAddress
from backend.adapters.http.answer import AnswerReader, Head
from backend.adapters.http.deadline import Deadline
from backend.adapters.http.failures import Broken
from backend.adapters.http.lookup import Lookups
from backend.adapters.http.wire import TlsWire, Wire
from backend.core.addresses import Network

LINE_ENDS = re.compile(r"[\r\n\0]")
USER_AGENT = f"webp-gateway/{__version__}"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """``fields`` come beside ``Host``, ``User-Agent``, ``Connection`` and, with a body, ``Content-Length``. Their text is ASCII, on one line."""

    method: str
    address: HttpAddress
    fields: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def encode(self) -> bytes:
        fields = {"Host": self.address.authority, "User-Agent": USER_AGENT, "Connection": "close", **self.fields}
        if self.body or self.method != "GET":
            fields["Content-Length"] = str(len(self.body))
        lines = [f"{self.method} {self.address.target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        if LINE_ENDS.search("".join(lines)):
            raise ValueError("a field of a request has a line's end")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii") + self.body


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Close it. ``chunks`` can be iterated once."""

    head: Head
    deadline: Deadline
    _reader: AnswerReader
    _wire: Wire

    def chunks(self) -> Iterator[bytes]:
        """Raises ``Broken`` and ``Late``."""
        with _failures():
            yield from self._reader.read_body(self.head)

    def close(self) -> None:
        self._wire.close()


@functools.cache
def public_trust() -> ssl.SSLContext:
    """The system's authorities and Mozilla's: 7 MiB and a tenth of a second, so all clients have the same, and all workers (``server/preload``)."""
    return _new_public_trust()


def _new_public_trust() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


class HttpClient:
    """One for each process. ``allowed`` are networks that may be asked though they are not public."""

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        self._allowed = tuple(allowed)
        self._lookups = Lookups()
        self._tls = public_trust()

    def trust(self, authorities: Path | str) -> None:
        """Certificates in a PEM file, beside the public ones."""
        self._tls = _new_public_trust()
        self._tls.load_verify_locations(authorities)

    def ask(self, request: HttpRequest, deadline: Deadline) -> HttpAnswer:
        """Send the request and read the answer's head. Raises ``NotReached``, ``Broken``, ``Late``, and what the deadline's ``pulse`` raises."""
        address = request.address
        found = self._lookups.addresses(address, self._allowed, deadline)
        tcp = http_wire.connect(found, address.port, deadline)
        try:
            with _failures():
                wire = TlsWire(tcp, self._tls, address.host, deadline) if address.scheme == "https" else tcp
                _send(wire, request.encode())
                reader = AnswerReader(wire, deadline)
                return HttpAnswer(reader.read_head(), deadline, reader, wire)
        except BaseException:
            tcp.close()
            raise


def _send(wire: Wire, data: bytes) -> None:
    try:
        wire.send(data)
    except ConnectionError:
        return  # it may have answered before it closed


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise Broken(repr(error)) from error
