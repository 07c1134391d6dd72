"""The heartbeats of encoders and gateways, in Redis, by its clock: a host whose own clock is wrong is there all the same.

Processes of protocol 1 write their entries themselves, by their own clocks. Little can be said of such an ``until``. So an entry of theirs
counts while it is there; ``heartbeat.lua`` removes it when it has not changed for a while.
"""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Iterable, Mapping
from typing import Any, cast

from backend.adapters.redis.client import translate_errors
from backend.adapters.redis.job_arguments import milliseconds
from backend.adapters.redis.scripts import Scripts
from backend.core.protocol import NEWEST, OLDEST
from backend.core.records import as_json
from backend.ports.presence import Kind

FOREIGN_CLOCK_S = 30.0
"""An entry of protocol 1 that is older was left by a process that ended while nobody was there to remove it."""


class RedisPresence:
    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def heartbeat(self, encoder: str, facts: Mapping[str, Any], seconds: float) -> float:
        return self._beat("encoders", encoder, facts, seconds)

    def announce(self, gateway: str, facts: Mapping[str, Any], seconds: float) -> float:
        return self._beat("gateways", gateway, facts, seconds)

    def leave(self, kind: Kind, name: str) -> None:
        self._scripts.run("leave", kind, name)

    def encoders(self) -> list[dict[str, Any]]:
        return self._present("encoders")

    def gateways(self) -> list[dict[str, Any]]:
        return self._present("gateways")

    def needs(self) -> int:
        with translate_errors():
            said = cast(str | None, self._scripts.client.get(self._scripts.key("protocol"))) or str(OLDEST)
        return int(said) if said.isdecimal() else NEWEST + 1

    def own_address(self) -> str | None:
        with translate_errors():
            pool = self._scripts.client.connection_pool
            connection = pool.get_connection()
            try:
                name = connection._sock.getsockname() if connection._sock is not None else ""
            finally:
                pool.release(connection)
        if not isinstance(name, tuple):
            return None
        return outward_address() if ipaddress.ip_address(name[0]).is_loopback else str(name[0])

    def _beat(self, kind: Kind, name: str, facts: Mapping[str, Any], seconds: float) -> float:
        return int(self._scripts.run("heartbeat", kind, name, as_json(facts), milliseconds(seconds))) / 1000

    def _present(self, kind: Kind) -> list[dict[str, Any]]:
        with translate_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            pipe.time()
            pipe.hvals(self._scripts.key(kind))
            (seconds, micros), entries = pipe.execute()
        return present(cast(list[str], entries), seconds + micros / 1e6)


def present(entries: Iterable[str], now: float) -> list[dict[str, Any]]:
    """The facts of those that are there. ``now`` is Redis' time, in seconds."""
    known = map(json.loads, entries)
    return [each["facts"] for each in known if each["until"] >= now - (0 if "clock" in each else FOREIGN_CLOCK_S)]


def outward_address() -> str | None:
    """This machine's address on its way to anywhere else; None where it has no way. Nothing is sent: the address is an example's (RFC 5737)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])
