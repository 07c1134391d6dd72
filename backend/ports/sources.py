"""Other people's servers, from which an image is fetched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Download(Protocol):
    """A file on its way from another server; always ended by ``close``."""

    filename: str
    size_bytes: int | None
    """As that server states it."""

    def chunks(self) -> Iterator[bytes]:
        """Raises ``BadRequest`` when it breaks off, is too slow, or takes too long."""

    def close(self) -> None: ...


class Sources(Protocol):
    """Other people's servers. Raises ``BadRequest`` for an address that may not be asked, and for one that does not answer with a file."""

    def check(self, url: str) -> str:
        """Whether it may be asked; the file name in it."""

    def open(self, url: str) -> Download: ...
