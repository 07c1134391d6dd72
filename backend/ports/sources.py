"""Servers of others, from which images are fetched by URL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
    def check(self, url: str) -> str:
        """The file name in ``url``. Asks nobody, and raises ``BadRequest`` for what is no address, or one that must not be asked as it stands."""

    def open(self, url: str, pulse: Callable[[], None]) -> Download:
        """Raises ``BadRequest`` for an address that must not be asked, and when the server does not answer with a file. Raises
        ``BackendUnavailable`` where this machine has no socket for it.

        ``pulse`` is called a few times a second, also while ``chunks`` waits. What it raises ends the download.
        """
