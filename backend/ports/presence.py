"""Which processes are there: encoders and gateways, on all hosts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

Kind = Literal["encoders", "gateways"]


class Presence(Protocol):
    """Every method raises ``BackendUnavailable``. The clock of the live state counts, and no host's."""

    def heartbeat(self, encoder: str, facts: Mapping[str, Any], seconds: float) -> float:
        """An encoder says that it is there, for so many seconds; the time at the live state.

        ``facts``: ``pid``, ``host``, ``cores``, ``jobs``, ``version``, ``protocol``, ``seal``, ``versions``, ``resident_bytes``.
        """

    def announce(self, gateway: str, facts: Mapping[str, Any], seconds: float) -> float:
        """A gateway process says the same. ``facts``: ``pid``, ``host``, ``version``, ``protocol``, and ``address`` where other hosts reach it."""

    def leave(self, kind: Kind, name: str) -> None:
        """A process ends. It is gone at once, and with the last encoder of a host what was counted for that host."""

    def encoders(self) -> list[dict[str, Any]]:
        """The facts of the encoders that are there."""

    def gateways(self) -> list[dict[str, Any]]:
        """The facts of the gateway processes that are there."""

    def needs(self) -> int:
        """The protocol that a process must speak to use the live state (``core.protocol``)."""

    def own_address(self) -> str | None:
        """This machine's address on the way to the live state, for other hosts; None where it has none, or the live state is reached by a file."""
