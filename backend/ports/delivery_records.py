"""What is known of each webhook: what is to be sent, to whom, and how each try went."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from backend.core.webhooks import Delivery


class DeliveryRecords(Protocol):
    """What a method returned from is on disk. A record outlives its job: tries go on for days."""

    def add_delivery(self, delivery: Delivery) -> bool:
        """False when there is one of that id already, pending or ended; it is left as it is. Raises ``StorageFull``."""

    def save_delivery(self, delivery: Delivery) -> None:
        """Replace the record of that id. A power cut may bring back the one before. Raises ``StorageFull``."""

    def delivery(self, delivery_id: str) -> Delivery:
        """Raises ``NotFound``."""

    def delivery_ids(self) -> set[str]:
        """Of every record."""

    def pending_deliveries(self) -> Iterator[Delivery]:
        """In no order."""
