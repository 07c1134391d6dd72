"""Servers of others, from which images are fetched by URL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Download(Protocol):
    """A file while another server sends it. Close it."""

    filename: str
    size_bytes: int | None
    """As that server states it."""

    def chunks(self) -> Iterator[bytes]:
        """Can be iterated once. Raises ``BadRequest`` when the download breaks off, is too slow, or takes too long."""

    def close(self) -> None: ...


class Sources(Protocol):
    """Both methods raise ``BadRequest`` for an address that must not be asked."""

    def check(self, url: str) -> str:
        """The file name in ``url``."""

    def open(self, url: str) -> Download:
        """Raises ``BadRequest`` also when the server does not answer with a file."""
