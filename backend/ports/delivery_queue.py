"""When each webhook is tried next, and by which process. It may be lost at any moment; the store rebuilds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery that waits for its next try. ``host`` is the receiver's scheme and host."""

    id: str
    client: str
    host: str
    due_at: float


@dataclass(frozen=True, slots=True)
class Shares:
    """How many tries are under way at once, at most, for one client and to one host. A host that gave no answer the last time has one place."""

    client: int
    host: int


class DeliveryQueue(Protocol):
    """Clients take turns, and so do the hosts of each client. Every method raises ``BackendUnavailable``."""

    def add(self, waiting: Sequence[Waiting], *, hastens: bool = False) -> None:
        """Make deliveries known. A known one stays as it is; with ``hastens`` it is due when ``waiting`` says."""

    def claim(self, most: int, lease_s: float, shares: Shares) -> list[str]:
        """The ids of at most ``most`` deliveries that are due, leased. One whose lease has run out is due again.

        Fewer may be returned than are due: call again while any are returned.
        """

    def put_back(self, delivery_id: str, due_at: float, amounts: Mapping[str, float]) -> None:
        """A try has failed, and the next one is due then. ``amounts`` are counted as by ``Counters.add``."""

    def remove(self, delivery_id: str, amounts: Mapping[str, float]) -> None:
        """The delivery has ended, or is gone. ``amounts`` as in ``put_back``."""

    def pause(self, host: str, seconds: float) -> None:
        """No delivery to this host is returned for so long."""

    def count_failures(self, host: str, has_failed: bool) -> int:
        """How often in a row the host gave no answer, this time included; 0 where it gave one."""

    def count(self, client: str) -> int:
        """How many deliveries of a client are known."""
