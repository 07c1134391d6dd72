"""Finds the gateway that has a Socket.IO session, by what gateways say of themselves in Redis, and the secret that they share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from backend.errors import BackendUnavailable
from backend.ports.presence import Presence

KNOWN_FOR_S = 1.0
ASK_AGAIN_S = 0.2
"""An unknown id makes us ask; made-up ones must not make Redis busy."""
APPEARS_WITHIN_S = 0.6
DOUBTED_AGAIN_S = 1.0
BOOT = "boot"
"""The fact of a gateway process that its session ids begin with."""


class PresentOwners:
    """``read_secret`` asks Redis, and makes one where there is none; both raise ``BackendUnavailable``, then what was known last counts."""

    def __init__(self, presence: Presence, read_secret: Callable[[], bytes]) -> None:
        self._presence, self._read_secret = presence, read_secret
        self._places: dict[str, tuple[str, int]] = {}
        self._asked_s = self._doubted_s = float("-inf")
        self._secret: bytes | None = None
        self._asking = threading.Lock()

    def address_of(self, boot_id: str) -> tuple[str, int] | None:
        """One that is not known yet is waited for: a worker that has just begun may serve before its first heartbeat."""
        until_s = time.monotonic() + APPEARS_WITHIN_S
        while (place := self._known(boot_id)) is None and time.monotonic() < until_s:
            time.sleep(ASK_AGAIN_S)
        return place

    def _known(self, boot_id: str) -> tuple[str, int] | None:
        with self._asking:  # who comes while we ask waits for the answer
            known_s = time.monotonic() - self._asked_s
            if known_s > KNOWN_FOR_S or (boot_id not in self._places and known_s > ASK_AGAIN_S):
                try:
                    self._places = places(self._presence.gateways())
                except BackendUnavailable:
                    pass
                self._asked_s = time.monotonic()
            return self._places.get(boot_id)

    def secret(self, *, is_doubted: bool = False) -> bytes | None:
        if self._secret is None or (is_doubted and time.monotonic() - self._doubted_s > DOUBTED_AGAIN_S):
            self._doubted_s = time.monotonic()
            try:
                self._secret = self._read_secret()
            except BackendUnavailable:
                pass
        return self._secret


def places(gateways: list[dict[str, Any]]) -> dict[str, tuple[str, int]]:
    """Boot id → host and port, of those that other hosts can reach."""
    found = {str(each[BOOT]): _place(each) for each in gateways if each.get(BOOT) and each.get("address")}
    return {boot: place for boot, place in found.items() if place is not None}


def _place(facts: Mapping[str, Any]) -> tuple[str, int] | None:
    host, _, port = str(facts["address"]).rpartition(":")
    return (host.removeprefix("[").removesuffix("]"), int(port)) if host and port.isdigit() else None
