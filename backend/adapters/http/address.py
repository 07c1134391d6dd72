"""URLs of other servers, read as browsers read them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from encodings.idna import nameprep
from urllib.parse import SplitResult, quote, unquote, unquote_to_bytes, urljoin, urlsplit

from backend import errors
from backend.core.charsets import utf8_or_guessed

MAX_URL_CHARACTERS = 4096
PORTS = {"http": 80, "https": 443}
NAME = re.compile(r"[A-Za-z0-9._-]{1,253}")
IPV6 = re.compile(r"[0-9A-Fa-f:.]{2,45}")
UNSAFE = re.compile(r"[\x00-\x1f\x7f]")
PATH_SAFE = "!$%&'()*+,/:;=@[]"
QUERY_SAFE = "!$%&()*+,/:;=?@[]|^`{}\\"
"""Beside letters, digits and ``-._~``: what browsers leave as it is (https://url.spec.whatwg.org/#percent-encoded-bytes)."""
EXTRA_SLASHES = re.compile("^((?:https?:)?//)/+", re.IGNORECASE)
LABEL_ENDS = re.compile("[.\u3002\uff0e\uff61]")
DEVIATIONS = re.compile("([ßς\u200c\u200d])")
"""Characters that IDNA 2003 changes, as Python does, and that browsers keep: straße.de is not strasse.de (UTS #46, section 7)."""
MAX_LABEL_CHARACTERS = 63


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
    def is_this_machine(self) -> bool:
        """By its name (RFC 6761 §6.3)."""
        return self.host.lower().removesuffix(".").rpartition(".")[2] == "localhost"

    @property
    def last_path_segment(self) -> str:
        return utf8_or_guessed(unquote_to_bytes(urlsplit(self.url).path.rsplit("/", 1)[-1]))


def parse(url: str) -> HttpAddress:
    """Raises ``BadRequest`` for anything but a plain address of a file by HTTP or HTTPS."""
    if len(url) > MAX_URL_CHARACTERS:
        raise errors.BadRequest("url")
    url = _with_slashes(url)
    try:
        parts = urlsplit(url)
        port, host, target = parts.port, _ascii_host(parts.hostname or ""), _target(parts)
    except ValueError:
        raise errors.BadRequest("url") from None
    if parts.scheme not in PORTS or "@" in parts.netloc or UNSAFE.search(url):
        raise errors.BadRequest("url")
    if port == 0:
        raise errors.BadRequest("url")
    return HttpAddress(url, parts.scheme, host, port or PORTS[parts.scheme], target)


def redirected(address: HttpAddress, location: bytes) -> str:
    """The URL that ``Location`` leads to. Bytes beyond ASCII are kept and escaped, as browsers do, whatever charset they are in.

    Raises ``BadRequest`` for what is no URL.
    """
    text = quote(location.translate(None, b"\t\r\n").strip(b" "), safe=PATH_SAFE + QUERY_SAFE + "#" + '"<> ')
    try:
        return urljoin(address.url, _with_slashes(text))
    except ValueError:
        raise errors.BadRequest("url") from None


def _with_slashes(url: str) -> str:
    """Browsers take a backslash before the query for a slash, and three slashes for two."""
    path = re.split("[?#]", url, maxsplit=1)[0]
    return EXTRA_SLASHES.sub(r"\1", path.replace("\\", "/")) + url[len(path) :]


def _ascii_host(host: str) -> str:
    """As it is resolved. Raises ``ValueError`` for what is no host."""
    if ":" in host:
        name, pattern = host, IPV6
    else:
        name, pattern = ".".join(map(_ascii_label, LABEL_ENDS.split(unquote(host, errors="strict")))), NAME
    if not pattern.fullmatch(name) or ".." in name or name.startswith("."):
        raise ValueError(host)
    return name


def _ascii_label(label: str) -> str:
    """Raises ``UnicodeError``, which is a ``ValueError``."""
    kept = label.lower()
    if not kept.isascii():
        kept = "".join(part if DEVIATIONS.fullmatch(part) else nameprep(part) for part in DEVIATIONS.split(kept))
    if not kept.isascii():
        kept = "xn--" + unicodedata.normalize("NFC", kept).encode("punycode").decode()
    if len(kept) > MAX_LABEL_CHARACTERS:
        raise UnicodeError(label)
    return kept


def _target(parts: SplitResult) -> str:
    path = quote(_without_dots(parts.path), safe=PATH_SAFE)
    return path + ("?" + quote(parts.query, safe=QUERY_SAFE) if parts.query else "")


def _without_dots(path: str) -> str:
    """Segments ``.`` and ``..`` are resolved, also where they are escaped."""
    kept: list[str] = []
    for segment in path.split("/")[1:]:
        plain = segment.lower().replace("%2e", ".")
        if plain == "..":
            del kept[-1:]
        elif plain != ".":
            kept.append(segment)
    ends_in_dots = bool(re.search(r"/(?:\.|%2e){1,2}$", path, re.IGNORECASE))
    return "/" + "/".join([*kept, ""] if ends_in_dots and kept else kept)
