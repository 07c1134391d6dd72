"""Stored bytes, open for reading."""

from __future__ import annotations

from typing import Protocol


class Blob(Protocol):
    """A source or a result. It stays readable to its end when its job is erased meanwhile. Close it."""

    size_bytes: int

    def read_at(self, offset: int, length: int) -> bytes:
        """At most ``length`` bytes from ``offset`` on; empty at the end."""

    def fileno(self) -> int: ...

    def close(self) -> None: ...
