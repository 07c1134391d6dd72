"""What may stand in ``Host`` (RFC 9112 §3.2, RFC 3986 §3.2.2): a name, an IPv4 address or an IPv6 address in brackets, and a port.

Of the names that RFC 3986 allows, those with percent signs or delimiters such as ``,`` are refused: no client has one, and two parsers may read
them differently.
"""

from __future__ import annotations

import ipaddress
import re

NAME = re.compile(r"[A-Za-z0-9._~-]{1,255}")
PORT = re.compile(r"[0-9]{0,5}")
MOST_PORT = 65535


def is_host_header(value: str) -> bool:
    """False for an empty value too: an http address has a host (RFC 9110 §4.2.1)."""
    if value.startswith("["):
        address, closing, port = value[1:].partition("]")
        return bool(closing) and _is_ipv6(address) and (not port or (port.startswith(":") and _is_port(port[1:])))
    name, _, port = value.partition(":")
    return NAME.fullmatch(name) is not None and _is_port(port)


def authority_of(target: str) -> str | None:
    """Of a request target in absolute form (RFC 9112 §3.2.2). None for the other forms."""
    _, separator, rest = target.partition("://")
    return re.split(r"[/?#]", rest, maxsplit=1)[0] if separator and not target.startswith("/") else None


def _is_port(text: str) -> bool:
    return PORT.fullmatch(text) is not None and int(text or 0) <= MOST_PORT


def _is_ipv6(text: str) -> bool:
    try:
        return "%" not in text and ipaddress.IPv6Address(text) is not None
    except ValueError:
        return False
