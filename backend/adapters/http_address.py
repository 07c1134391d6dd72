"""The addresses of images on other servers: which may be asked, and a socket that is connected to one of them."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit

from backend import errors
from backend.core.addresses import Network, may_be_asked, parsed

MAX_URL_CHARACTERS = 4096
MAX_ADDRESSES = 8
CONNECT_TIMEOUT_S = 5.0
PORTS = {"http": 80, "https": 443}
HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
UNSAFE = re.compile(r"[\x00-\x20\x7f]")


@dataclass(slots=True)
class HttpAddress:
    """A URL, parted: a server, and the ``target`` of the request to it (path and query)."""

    url: str
    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def last_path_segment(self) -> str:
        return unquote(urlsplit(self.url).path.rsplit("/", 1)[-1])


def parse(url: str) -> HttpAddress:
    """Raises ``BadRequest`` for anything but a plain address of a file by HTTP or HTTPS."""
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
    return HttpAddress(url, parts.scheme, host, port or PORTS[parts.scheme], _target(parts))


def _target(parts: SplitResult) -> str:
    path = quote(parts.path or "/", safe="%/:=&~+!$,;'@()*")
    return path + ("?" + quote(parts.query, safe="%/:=&?~+!$,;'@()*[]") if parts.query else "")


def resolve(address: HttpAddress, allowed: Sequence[Network]) -> list[str]:
    """The IP addresses of the host. Raises ``BadRequest`` when there are none, or when one of them must not be asked: then the name is suspicious.

    ``allowed`` are networks that may be asked though they are not public.
    """
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise errors.BadRequest("url_unreachable", private=repr(error)) from error
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    for each in addresses:
        if not may_be_asked(parsed(each), allowed):
            raise errors.BadRequest("url_forbidden", private=f"{address.host} is {each}")
    return addresses[:MAX_ADDRESSES]


def connect(addresses: Sequence[str], port: int) -> socket.socket:
    """To the first IP address that answers. Raises ``BadRequest``."""
    failure: OSError | None = None
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=CONNECT_TIMEOUT_S)
        except OSError as error:
            failure = error
    raise errors.BadRequest("url_unreachable", private=repr(failure)) from failure
