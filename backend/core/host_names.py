"""Under which names the gateway answers: the rule against DNS rebinding.

A web page can be loaded from a name that its owner then points at this machine. The browser takes the gateway for the page's own site from then on,
and lets the page read everything. Only the ``Host`` header tells such a request from others. What cannot be rebound is always answered: an IP
address, a loopback name (RFC 6761 §6.3), and a name that this machine has by itself. Any other name is the operator's to admit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

AUTHORITY = re.compile(r"(?:\[(?P<v6>[^\[\]]*)\]|(?P<name>[^\[\]:@/?#\s]*))(?::\d*)?")
LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
NAME = re.compile(rf"{LABEL}(?:\.{LABEL})*")
"""Labels as DNS takes them (RFC 1123 §2.1), and with underscores, as container engines make them."""
NAME_CHARACTERS = 253
"""RFC 1035 §2.3.4."""
KEPT_NAMES = 256
"""Reading an address takes 10 µs, and nearly all requests name the same few."""
ANY = "*"
LOOPBACK, BELOW_LOOPBACK = "localhost", ".localhost"
CHANGED_BY_IDNA_2003 = frozenset("ßς\u200c\u200d")
"""Letters that Python's codec turns into others, and browsers do not (UTS #46 §7). Such a name is to be written in its ASCII form."""


def name_of(authority: str) -> str:
    """The name in ``host[:port]``, in lower case, without brackets and without the dot of the root. Empty where the form is wrong."""
    match = AUTHORITY.fullmatch(authority)
    if match is None:
        return ""
    return (match["name"] if match["v6"] is None else match["v6"]).lower().removesuffix(".")


@lru_cache(maxsize=KEPT_NAMES)
def is_address(name: str) -> bool:
    return any(_is_read_by(kind, name) for kind in (IPv4Address, IPv6Address))


def is_loopback(name: str) -> bool:
    return name == LOOPBACK or name.endswith(BELOW_LOOPBACK)


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """``names`` are exact; ``suffixes`` begin with a dot and match every name below. In ``domains``, any one label is a name; the empty domain has
    those without a dot. Make it by ``allowed_hosts``."""

    names: frozenset[str] = frozenset()
    suffixes: tuple[str, ...] = ()
    domains: frozenset[str] = frozenset()
    is_any: bool = False

    def admit(self, authority: str) -> bool:
        """Whether requests to ``host[:port]`` are answered. The port counts for nothing: a page of another port is another site anyway."""
        if self.is_any:
            return True
        name = name_of(authority)
        if name in self.names or is_loopback(name) or name.endswith(self.suffixes) or is_address(name):
            return True
        label, _, domain = name.partition(".")
        return bool(label) and domain in self.domains


def allowed_hosts(patterns: Iterable[str], own_names: Iterable[str] = (), domains: Iterable[str] = ()) -> AllowedHosts:
    """``patterns`` are as ``pattern`` gives them. ``own_names`` are those of this machine, and whatever else it is called by its operator."""
    patterns = tuple(patterns)
    below = [each.removeprefix(ANY) for each in patterns if each.startswith((ANY, "."))]
    apexes = [each[1:] for each in patterns if each.startswith(".")]
    exact = [each for each in patterns if not each.startswith((ANY, "."))]
    names = frozenset(name for name in (*exact, *apexes, *map(name_of, own_names)) if name)
    return AllowedHosts(names, tuple(each for each in below if each), frozenset(domains), ANY in patterns)


def pattern(text: str) -> str:
    """One entry of the operator's list, in the form in which hosts are compared.

    ``name`` is that name. ``*.name`` is every name below it, ``.name`` those and itself, ``*`` every name. An IPv6 address may stand in brackets.
    A name in other letters than ASCII gets its ASCII form (RFC 3490). Raises ``ValueError``, also for a scheme, a port or a path, and for a name
    that ends in a number, which browsers take for an address.
    """
    if text == ANY:
        return ANY
    start = next((each for each in (ANY + ".", ".") if text.startswith(each)), "")
    bare = text.removeprefix(start)
    address = bare[1:-1] if bare[:1] == "[" and bare[-1:] == "]" else bare
    if not start and is_address(address):
        return address.lower()
    name = _ascii(bare.removesuffix(".")).lower()
    if len(name) > NAME_CHARACTERS or NAME.fullmatch(name) is None or name.rpartition(".")[2].isdigit():
        raise ValueError(text)
    return start + name


def _ascii(name: str) -> str:
    if name.isascii():
        return name
    if CHANGED_BY_IDNA_2003 & set(name):
        raise ValueError(name)
    return name.encode("idna").decode("ascii")  # a UnicodeError is a ValueError


def _is_read_by(kind: type[IPv4Address] | type[IPv6Address], text: str) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True
