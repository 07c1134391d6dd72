"""Images on servers of others, by HTTP(S).

The name is resolved once for each request, and all addresses that it has must be allowed. The connection is made to such an address and not to the
name, so that a second answer of a name server has no effect. TLS is verified against the name. Each redirect is a new request, checked in the same
way. Nothing of the gateway's goes along: no proxy, cookie, key or referrer. Under gevent all of it is cooperative.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import certifi

from backend import __version__, errors
from backend.adapters import http_address, http_codings
from backend.adapters.http_address import HttpAddress
from backend.adapters.http_answer import HttpAnswer
from backend.core.addresses import Network
from backend.core.content_disposition import answer_filename
from backend.core.filenames import display_name

CHUNK_BYTES = 1 << 16
MAX_REDIRECTS = 5
SILENCE_S = 15.0
REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Rules:
    """``allowed`` are networks that may be asked though they are not public. ``timeout_s`` holds for a whole image, redirects included."""

    allowed: tuple[Network, ...] = ()
    timeout_s: float = 60.0
    min_bytes_per_s: int = 10_000


class HttpSources:
    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._tls = ssl.create_default_context()
        self._tls.load_verify_locations(certifi.where())

    def check(self, url: str) -> str:
        """Resolves the name, too, so that most of what will be refused is refused at once."""
        address = http_address.parse(url)
        http_address.resolve(address, self._rules.allowed)
        return display_name(address.last_path_segment)

    def open(self, url: str) -> HttpDownload:
        deadline = time.monotonic() + self._rules.timeout_s
        for redirects in range(MAX_REDIRECTS + 1):
            address = http_address.parse(url)
            download = self._ask(address, deadline)
            try:
                location = download.redirect()
                if location is None:
                    download.accept(is_redirected=redirects > 0)
                    return download
            except BaseException:
                download.close()
                raise
            download.close()
            url = http_address.redirected(address, location)
        raise errors.BadRequest("url_answer", answer=f"> {MAX_REDIRECTS} redirects")

    def _ask(self, address: HttpAddress, deadline: float) -> HttpDownload:
        download = HttpDownload(self._connect(address), address, deadline, self._rules.min_bytes_per_s)
        try:
            download.ask()
        except BaseException:
            download.close()
            raise
        return download

    def _connect(self, address: HttpAddress) -> http.client.HTTPConnection:
        sock = http_address.connect(http_address.resolve(address, self._rules.allowed), address.port)
        sock.settimeout(SILENCE_S)
        connection = http.client.HTTPConnection(address.host, address.port)
        connection.response_class = HttpAnswer
        connection.sock = sock
        if address.scheme == "https":
            connection.sock = self._tls.wrap_socket(sock, server_hostname=address.host, do_handshake_on_connect=False)
        return connection


@dataclass(slots=True)
class HttpDownload:
    """One response. ``chunks`` can be iterated once."""

    connection: http.client.HTTPConnection
    address: HttpAddress
    deadline: float
    min_bytes_per_s: int
    filename: str = ""
    size_bytes: int | None = None
    _wire_bytes: int | None = field(init=False, default=None)
    _codings: tuple[str, ...] = field(init=False, default=())
    _response: http.client.HTTPResponse = field(init=False)
    _timer: threading.Timer = field(init=False)
    _is_late: bool = field(init=False, default=False)

    def ask(self) -> None:
        """Send the request and read the header. A timer ends the connection at the deadline, since a server may send its header byte by byte."""
        self._timer = threading.Timer(max(0.0, self.deadline - time.monotonic()), self._abort)
        self._timer.daemon = True
        self._timer.start()
        try:
            if isinstance(self.connection.sock, ssl.SSLSocket):
                self.connection.sock.do_handshake()
            self.connection.putrequest("GET", self.address.target, skip_host=True, skip_accept_encoding=True)
            self.connection.putheader("Host", self.address.authority)
            self.connection.putheader("Accept", "image/*,*/*;q=0.5")
            self.connection.putheader("Accept-Encoding", "identity")
            self.connection.putheader("User-Agent", f"webp-gateway/{__version__}")
            self.connection.putheader("Connection", "close")
            self.connection.endheaders()
            self._response = self.connection.getresponse()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._failure(error) from error

    def redirect(self) -> bytes | None:
        """Where the response redirects to, None where it does not."""
        if self._response.status not in REDIRECTS:
            return None
        location = self._header("Location")
        if not location:
            raise errors.BadRequest("url_answer", answer=str(self._response.status))
        return location

    def accept(self, *, is_redirected: bool) -> None:
        """Raises ``BadRequest`` for a response that is not a whole file."""
        response = self._response
        if response.status != 200:
            raise errors.BadRequest("url_answer", answer=str(response.status))
        self._codings = http_codings.known_codings(",".join(response.headers.get_all("Content-Encoding", [])))
        self._wire_bytes = response.length
        self.size_bytes = None if self._codings else response.length
        self.filename = display_name(answer_filename(self._header("Content-Disposition")))
        if is_redirected and not self.filename:
            last = display_name(self.address.last_path_segment)
            self.filename = last if "." in last else ""

    def _header(self, name: str) -> bytes:
        """The bytes of the first field of this name, as they came but on one line. Empty where there is none."""
        return re.sub(rb"[\r\n]+", b" ", self._response.headers.get(name, "").encode("latin-1")).strip(b" \t")

    def chunks(self) -> Iterator[bytes]:
        chunks = self._chunks_sent()
        for coding in self._codings:
            chunks = http_codings.decoded(chunks, coding)
        try:
            yield from chunks
        except http_codings.DecodingFailed as error:
            raise self._failure(error) from error

    def _chunks_sent(self) -> Iterator[bytes]:
        begun, received = time.monotonic(), 0
        while True:
            try:
                chunk = self._response.read1(CHUNK_BYTES)
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise self._failure(error) from error
            if not chunk:
                break
            received += len(chunk)
            if received < self.min_bytes_per_s * (time.monotonic() - begun - SILENCE_S):
                raise errors.BadRequest("url_slow", seconds=round(time.monotonic() - begun))
            yield chunk
        if self._is_late or (self._wire_bytes is not None and received < self._wire_bytes):
            raise self._failure(None)

    def close(self) -> None:
        self._timer.cancel()
        self.connection.close()

    def _abort(self) -> None:
        self._is_late = True
        sock = self.connection.sock
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _failure(self, error: Exception | None) -> errors.BadRequest:
        if self._is_late or isinstance(error, TimeoutError):
            return errors.BadRequest("url_slow", private=repr(error))
        return errors.BadRequest("url_unreachable", private=repr(error))
