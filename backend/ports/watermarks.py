"""The operator's watermarks, by name."""

from __future__ import annotations

from typing import Protocol

from backend.core.watermark import Watermark


class Watermarks(Protocol):
    """Files may be exchanged, added and removed at any time. Each method raises ``BackendUnavailable`` where it cannot read them."""

    def names(self) -> tuple[str, ...]:
        """In order; those of files that cannot be used too."""

    def digest(self, name: str) -> str:
        """That of the watermark as it is now. Raises ``BackendUnavailable`` where there is none, or none that can be used."""

    def read(self, name: str) -> Watermark:
        """Raises as ``digest``."""
