"""The names that this machine has by itself: what its network calls it, without asking anybody."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

MDNS = "local"
"""RFC 6762: the domain in which a machine answers to its own name on the local link."""
OF_CONTAINER_ENGINES = ("host.docker.internal", "host.containers.internal")
"""What containers call the machine that they run on. ``internal`` is reserved, so nobody can have such a name in the public DNS."""
RESOLVER, HOSTS = Path("/etc/resolv.conf"), Path("/etc/hosts")


def own_host_names(host_name: str = "", resolver: Path = RESOLVER, hosts: Path = HOSTS) -> frozenset[str]:
    """In lower case: the host name, alone, in mDNS and in the network's search domains, and what stands beside it in the hosts file."""
    own = (host_name or socket.gethostname()).lower()
    short = own.partition(".")[0]
    if not short:
        return frozenset(OF_CONTAINER_ENGINES)
    below = (f"{short}.{each}" for each in network_domains(resolver) if each)
    return frozenset((own, short, *below, *_aliases((own, short), hosts), *OF_CONTAINER_ENGINES))


def network_domains(resolver: Path = RESOLVER) -> tuple[str, ...]:
    """Where the network itself says what a name means: names without a dot (the empty domain), mDNS, and the search domains. No site of the
    Internet can have such a name. A container, which does not know what its machine is called, answers to any of them."""
    return ("", MDNS, *_words_after(("search", "domain"), resolver))


def _aliases(names: tuple[str, ...], path: Path) -> Iterator[str]:
    """hosts(5): an address, then its names. Lines that do not name this machine may name anybody, as those of an ad blocker do."""
    for _, *here in _lines(path):
        if not set(names).isdisjoint(here):
            yield from here


def _words_after(keywords: tuple[str, ...], path: Path) -> Iterator[str]:
    """resolv.conf(5)."""
    for keyword, *words in _lines(path):
        if keyword in keywords:
            yield from (each.strip(".") for each in words if each.strip("."))


def _lines(path: Path) -> list[list[str]]:
    """The words of each line that has any, in lower case. A file that cannot be read has none."""
    try:
        text = path.read_text("utf-8", errors="replace")
    except OSError:
        return []
    lines = (line.partition("#")[0].lower().split() for line in text.splitlines())
    return [each for each in lines if each]
