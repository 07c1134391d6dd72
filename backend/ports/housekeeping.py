"""What keeps a store usable: set-up, checks, and the removal of what killed processes left."""

from __future__ import annotations

from typing import Protocol


class NotUsable(Exception):
    """The store cannot be used as it is set up. ``reason`` names the operator's sentence (``accepted.bucket.…`` in ``texts``), ``params`` fill it."""

    def __init__(self, reason: str, **params: str) -> None:
        super().__init__(f"{reason} {params}")
        self.reason, self.params = reason, params


class Housekeeping(Protocol):
    def prepare(self) -> None:
        """Make what the store needs. Every process calls it before anything else; it changes nothing that is there."""

    def probe(self) -> None:
        """Try out whether the store can do what is asked of it, before the start.

        Raises ``NotUsable`` where the settings must change, and ``BackendUnavailable`` where it does not answer now.
        """

    def check(self) -> None:
        """Raises ``StorageFull`` or ``BackendUnavailable`` when nothing could be stored now."""

    def clean_up(self, older_than_s: float) -> int:
        """Delete expired batches, deliveries that are kept no longer, the rest of interrupted erasures, and half-written files untouched for so many
        seconds; return the bytes freed."""
