"""Images on other people's servers, by HTTP(S), over connections that go nowhere but to an address that was checked.

The name is resolved once for each request and every address it has must be allowed; the connection is made to such an address, not to the name,
so that no second answer of a name server counts. TLS is verified against the name. Each redirect is a new request, judged in the same way.
Nothing of ours goes along: no proxy, cookie, key or referrer. ``gevent`` makes all of it cooperative in the gateway.
"""

from __future__ import annotations

import http.client
import logging
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

import certifi

from backend import __version__, errors
from backend.core.addresses import Network, may_be_asked, parsed

log = logging.getLogger(__name__)
CHUNK_BYTES = 1 << 16
MAX_URL_CHARACTERS = 4096
MAX_REDIRECTS = 5
MAX_ADDRESSES = 8
CONNECT_TIMEOUT_S = 5.0
SILENCE_S = 15.0
PORTS = {"http": 80, "https": 443}
REDIRECTS = (301, 302, 303, 307, 308)
HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
UNSAFE = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True, slots=True)
class Rules:
    """``allowed``: networks that may be asked though they are not public. ``timeout_s``: for all of one image, redirects included."""

    allowed: tuple[Network, ...] = ()
    timeout_s: float = 60.0
    min_bytes_per_s: int = 10_000


@dataclass(slots=True)
class Place:
    """Where a URL points: a server, and what is asked of it."""

    url: str
    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


class HttpSources:
    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._tls = ssl.create_default_context()
        self._tls.load_verify_locations(certifi.where())

    def check(self, url: str) -> str:
        """Resolves the name, too, so that most of what will be refused is refused at once."""
        place = _placed(url)
        _resolved(place, self._rules.allowed)
        return name_in(place)

    def open(self, url: str) -> HttpDownload:
        deadline = time.monotonic() + self._rules.timeout_s
        for _ in range(MAX_REDIRECTS + 1):
            place = _placed(url)
            download = self._ask(place, deadline)
            target = download.redirect()
            if target is None:
                download.accept()
                return download
            download.close()
            url = urljoin(place.url, target)
        raise errors.BadRequest("url_answer", answer=f"> {MAX_REDIRECTS} redirects")

    def _ask(self, place: Place, deadline: float) -> HttpDownload:
        connection = self._connection(place, _resolved(place, self._rules.allowed))
        download = HttpDownload(connection, place, deadline, self._rules.min_bytes_per_s)
        try:
            download.ask()
        except BaseException:
            download.close()
            raise
        return download

    def _connection(self, place: Place, addresses: Sequence[str]) -> http.client.HTTPConnection:
        sock = _connected(addresses, place.port)
        connection = http.client.HTTPConnection(place.host, place.port)
        connection.sock = sock
        if place.scheme == "https":
            connection.sock = self._tls.wrap_socket(sock, server_hostname=place.host, do_handshake_on_connect=False)
        return connection


@dataclass(slots=True)
class HttpDownload:
    """One response. ``chunks`` may be walked once."""

    connection: http.client.HTTPConnection
    place: Place
    deadline: float
    min_bytes_per_s: int
    filename: str = ""
    size_bytes: int | None = None
    _response: http.client.HTTPResponse = field(init=False)
    _watch: threading.Timer = field(init=False)
    _is_late: bool = field(init=False, default=False)

    def ask(self) -> None:
        """A timer ends the connection at the deadline, wherever it stands then: a server may drip its header, too."""
        self._watch = threading.Timer(max(0.0, self.deadline - time.monotonic()), self._give_up)
        self._watch.daemon = True
        self._watch.start()
        try:
            if isinstance(self.connection.sock, ssl.SSLSocket):
                self.connection.sock.do_handshake()
            self.connection.putrequest("GET", self.place.target, skip_host=True, skip_accept_encoding=True)
            self.connection.putheader("Host", self.place.authority)
            self.connection.putheader("Accept", "image/*,*/*;q=0.5")
            self.connection.putheader("Accept-Encoding", "identity")
            self.connection.putheader("User-Agent", f"webp-gateway/{__version__}")
            self.connection.putheader("Connection", "close")
            self.connection.endheaders()
            self._response = self.connection.getresponse()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._broken(error) from error

    def redirect(self) -> str | None:
        if self._response.status not in REDIRECTS:
            return None
        target = self._response.headers.get("Location", "")
        if not target:
            raise errors.BadRequest("url_answer", answer=str(self._response.status))
        return quote(target, safe="%/:=&?~#+!$,;'@()*[]")

    def accept(self) -> None:
        """Raises ``BadRequest`` for whatever is not a whole file."""
        response = self._response
        if response.status != 200:
            raise self._refused(str(response.status))
        if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            raise self._refused("Content-Encoding")
        self.size_bytes = response.length
        self.filename = _stated_name(response.headers.get("Content-Disposition", ""))

    def chunks(self) -> Iterator[bytes]:
        begun, received = time.monotonic(), 0
        while True:
            try:
                chunk = self._response.read1(CHUNK_BYTES)
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise self._broken(error) from error
            if not chunk:
                break
            received += len(chunk)
            if received < self.min_bytes_per_s * (time.monotonic() - begun - SILENCE_S):
                raise errors.BadRequest("url_slow", seconds=round(time.monotonic() - begun))
            yield chunk
        if self._is_late or (self.size_bytes is not None and received < self.size_bytes):
            raise self._broken(None)

    def close(self) -> None:
        self._watch.cancel()
        self.connection.close()

    def _give_up(self) -> None:
        self._is_late = True
        sock = self.connection.sock
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _refused(self, answer: str) -> errors.BadRequest:
        self.close()
        return errors.BadRequest("url_answer", answer=answer)

    def _broken(self, error: Exception | None) -> errors.BadRequest:
        if self._is_late or isinstance(error, TimeoutError):
            return errors.BadRequest("url_slow", private=repr(error))
        return errors.BadRequest("url_unreachable", private=repr(error))


def _placed(url: str) -> Place:
    """Raises ``BadRequest`` for what is no plain address of a file by http(s)."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise errors.BadRequest("url") from None
    host = parts.hostname or ""
    if parts.scheme not in PORTS or "@" in parts.netloc or len(url) > MAX_URL_CHARACTERS or UNSAFE.search(url) or "\\" in parts.netloc:
        raise errors.BadRequest("url")
    try:
        host = host if ":" in host else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise errors.BadRequest("url") from None
    if not HOST.fullmatch(host) or port == 0:
        raise errors.BadRequest("url")
    return Place(url, parts.scheme, host, port or PORTS[parts.scheme], _target(parts))


def _target(parts: SplitResult) -> str:
    path = quote(parts.path or "/", safe="%/:=&~+!$,;'@()*")
    return path + ("?" + quote(parts.query, safe="%/:=&?~+!$,;'@()*[]") if parts.query else "")


def _resolved(place: Place, allowed: Sequence[Network]) -> list[str]:
    """The addresses to connect to. One that may not be asked makes the name suspicious as a whole. Raises ``BadRequest``."""
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise errors.BadRequest("url_unreachable", private=repr(error)) from error
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    for each in addresses:
        if not may_be_asked(parsed(each), allowed):
            raise errors.BadRequest("url_forbidden", private=f"{place.host} is {each}")
    return addresses[:MAX_ADDRESSES]


def _connected(addresses: Sequence[str], port: int) -> socket.socket:
    trouble: OSError | None = None
    for address in addresses:
        try:
            sock = socket.create_connection((address, port), timeout=CONNECT_TIMEOUT_S)
            sock.settimeout(SILENCE_S)
            return sock
        except OSError as error:
            trouble = error
    raise errors.BadRequest("url_unreachable", private=repr(trouble)) from trouble


def name_in(place: Place) -> str:
    return _display(unquote(urlsplit(place.url).path.rsplit("/", 1)[-1]))


def _stated_name(header: str) -> str:
    """RFC 6266, as the standard library reads it; text to show."""
    message = Message()
    message["Content-Disposition"] = re.sub(r"[\r\n]", " ", header)
    try:
        return _display(message.get_filename("") or "")
    except (ValueError, LookupError):
        return ""


def _display(name: str) -> str:
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return "" if last in (".", "..") else "".join(each for each in last if each.isprintable())[:255]
