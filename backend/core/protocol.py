"""Which protocol a release speaks: what processes of two releases read of each other, in Redis, in the store and in messages.

A process says which range it speaks (``SPOKEN``). Two processes understand each other where their ranges overlap. A release drops the oldest
number only when the release before it spoke a newer one: so neighbours always work side by side.

Protocol 1 did not look at what a job needs (``Manifest.needs``), so the release that brought protocol 3 dropped it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Range(NamedTuple):
    """The oldest and the newest protocol that somebody speaks."""

    oldest: int
    newest: int

    def meets(self, other: Range) -> bool:
        return self.oldest <= other.newest and other.oldest <= self.newest

    def __str__(self) -> str:
        return str(self.oldest) if self.oldest == self.newest else f"{self.oldest}–{self.newest}"


CHANGES: Mapping[int, str] = {
    1: "All releases before protocols had numbers. One Celery message is one job, as a ticket.",
    2: "Records may hold more than their reader knows, who leaves alone what needs a newer protocol. Heartbeats expire by the clock of Redis.",
    3: "Other output formats than WebP, and their options.",
}
"""What each number brought. A new number is a new row here, and stands beside what needs it (``since``)."""
OLDEST, NEWEST = 2, max(CHANGES)
SPOKEN = Range(OLDEST, NEWEST)
UNNUMBERED = Range(1, 1)
"""What a process speaks that says nothing of it."""


def is_understood(needs: int) -> bool:
    """Whether this release can go on with what needs a protocol: a record says so by its ``needs``."""
    return needs <= NEWEST


def range_of(facts: Mapping[str, object]) -> Range:
    """Which protocol a process speaks, by its heartbeat's facts. What cannot be read counts as unnumbered."""
    said = facts.get("protocol")
    if isinstance(said, list | tuple) and len(said) == 2 and all(isinstance(each, int) for each in said):
        return Range(*said)
    return UNNUMBERED
