"""Which addresses may be asked for an image: those of the public Internet, and whatever networks the operator names.

``ipaddress.is_global`` is no guard: it calls 64:ff9b::169.254.169.254, 2002:7f00:1:: and 224.0.0.1 global. Here IPv6 is judged the other way
round: only what is allocated as global unicast, less the parts of it that carry an IPv4 address or serve a special end.
Sources: the IANA special-purpose registries (RFC 6890), RFC 6052 (NAT64), 3056 (6to4), 4380 (Teredo), 5214 (ISATAP).
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

REFUSED_V4 = tuple(
    IPv4Network(each)
    for each in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, and the clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
GLOBAL_V6 = IPv6Network("2000::/3")
REFUSED_V6 = tuple(
    IPv6Network(each)
    for each in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks …
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries an IPv4 address
        "3fff::/20",  # documentation
    )
)
ISATAP_MARKS = (0x00005EFE, 0x02005EFE)
"""The upper half of an interface id that carries an IPv4 address, under whatever prefix."""


def may_be_asked(address: Address, allowed: Iterable[Network] = ()) -> bool:
    """Whether a request may go there. What the operator allows is judged by the address as it is."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    if any(address in network or (mapped is not None and mapped in network) for network in allowed):
        return True
    return _is_public_v4(address) if isinstance(address, IPv4Address) else _is_public_v6(address)


def _is_public_v4(address: IPv4Address) -> bool:
    return not any(address in network for network in REFUSED_V4)


def _is_public_v6(address: IPv6Address) -> bool:
    if address.scope_id is not None or address not in GLOBAL_V6 or any(address in network for network in REFUSED_V6):
        return False
    return (int(address) >> 32) & 0xFFFFFFFF not in ISATAP_MARKS


def parsed(text: str) -> Address:
    """Raises ``ValueError``."""
    return ip_address(text)
