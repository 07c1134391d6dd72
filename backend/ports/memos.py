"""Short texts that are kept for a time."""

from __future__ import annotations

from typing import Protocol


class Memos(Protocol):
    """Every method raises ``BackendUnavailable``."""

    def get(self, key: str) -> str | None: ...

    def put_if_absent(self, key: str, value: str, seconds: int) -> bool:
        """Keep ``value`` for so many seconds. False, and nothing changes, when there is a value already."""

    def delete(self, key: str) -> None: ...
