"""Whose turn a job takes in the queue, as the words of ``Manifest.client``: the client, its line, and ``waits``.

Clients take turns; within a client its lines do; within a line, work that somebody waits for goes first, then single jobs, then batches. It is one
text, so that processes of the version before, which take it for a client's name, read and run these jobs too.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

WAITS = "waits"
CLIENT_PREFIX_BITS = 64
"""Of an IPv6 address: a subscriber gets at least a /64 (RFC 6177, RIPE-690), so the addresses in it are free to take."""


def turn(client: str, line: str = "", *, is_waited_for: bool = False) -> str:
    """Raises ``ValueError`` for a name that has a space."""
    if " " in client or " " in line:
        raise ValueError(f"a space in {client!r} or {line!r}")
    return f"{client} {line} {WAITS}" if is_waited_for else f"{client} {line}".rstrip()


def client_of(turn: str) -> str:
    """The client alone: who has a share."""
    return turn.partition(" ")[0]


def line_of(turn: str) -> str:
    return [*turn.split(" "), ""][1]


def network_of(address: str) -> str:
    """The client that an address stands for: an IPv4 address by itself, an IPv6 address by its /64. What is no address stands for itself."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address.replace(" ", "_")
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, CLIENT_PREFIX_BITS), strict=False))
