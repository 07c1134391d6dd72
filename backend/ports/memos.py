"""Short texts that are kept for a time."""

from __future__ import annotations

from typing import Protocol

MOST_IN_GROUP = 10_000
"""The memos of one group take 4 MiB of Redis then."""


class Memos(Protocol):
    """Every method raises ``BackendUnavailable``."""

    def get(self, key: str) -> str | None: ...

    def put_if_absent(self, key: str, value: str, seconds: int, *, group: str = "") -> bool:
        """Keep ``value`` for so many seconds. False, and nothing changes, when there is a value already.

        Of a ``group`` only the newest ``MOST_IN_GROUP`` are kept.
        """

    def delete(self, key: str, *, value: str = "", group: str = "") -> None:
        """Delete the memo; with a ``value``, only where it has that one."""
