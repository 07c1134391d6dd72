"""Announce: a process says once a second that it is there, and who it is, until it ends in order. One that is killed falls silent."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from backend.core.protocol import SPOKEN
from backend.flows.shared_clock import SharedClock
from backend.ports.presence import Kind, Presence

HEARTBEAT_EVERY_S = 1.0
SILENT_AFTER_S = 3 * HEARTBEAT_EVERY_S
"""Without a heartbeat for so long, a process counts as gone."""
WILDCARDS = ("0.0.0.0", "::")


class Announcer:
    """``facts`` makes the facts of one heartbeat. A heartbeat that is under way when the process leaves is waited for, and none comes after it.

    Each heartbeat learns the time at the live state, and adjusts ``clock`` by it.
    """

    def __init__(self, presence: Presence, kind: Kind, name: str, facts: Callable[[], Mapping[str, Any]], clock: SharedClock) -> None:
        self._presence, self._kind, self._name, self._facts, self._clock = presence, kind, name, facts, clock
        self._turn = threading.Lock()
        self._has_left = False

    def beat(self) -> None:
        """Raises ``BackendUnavailable``."""
        with self._turn:
            if not self._has_left:
                say = self._presence.heartbeat if self._kind == "encoders" else self._presence.announce
                facts, begun_s = self._facts(), time.monotonic()
                shared_s = say(self._name, facts, SILENT_AFTER_S)
                self._clock.adjust(shared_s, time.monotonic() - begun_s)

    def leave(self) -> None:
        """Raises ``BackendUnavailable``."""
        with self._turn:
            self._has_left = True
            self._presence.leave(self._kind, self._name)


def identity(name: str, host: str, pid: int, version: str) -> dict[str, Any]:
    """What every process says of itself."""
    return {"name": name, "pid": pid, "host": host, "version": version, "protocol": list(SPOKEN)}


def address(listens_on: str, port: int, own_address: str | None) -> str | None:
    """Where other hosts reach a gateway, as ``host:port``; None where none can. ``own_address`` is this machine's on the way to Redis."""
    host = own_address if listens_on in WILDCARDS else listens_on
    if host is None or host == "localhost" or _is_loopback(host):
        return None
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
