"""Deliveries of webhooks as JSON objects: those that are pending under one prefix, those that have ended under another."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from backend import errors
from backend.adapters.s3.bucket import AlreadyExists
from backend.adapters.s3.store_objects import StoreObjects
from backend.core.webhooks import Delivery

log = logging.getLogger(__name__)


class S3DeliveryRecords(StoreObjects):
    def add_delivery(self, delivery: Delivery) -> bool:
        try:
            self.bucket.etag(self.webhook_key(delivery.id, is_pending=False))
            return False
        except errors.NotFound:
            pass
        try:
            self.bucket.put_new(self.webhook_key(delivery.id, is_pending=True), delivery.to_json(), {})
        except AlreadyExists:
            return False
        return True

    def save_delivery(self, delivery: Delivery) -> None:
        """A kill in between leaves both objects; the pending one counts then."""
        self.bucket.put(self.webhook_key(delivery.id, is_pending=delivery.is_pending), delivery.to_json())
        self.bucket.delete([self.webhook_key(delivery.id, is_pending=not delivery.is_pending)])

    def delivery(self, delivery_id: str) -> Delivery:
        """Looks a second time where it began: the record may have moved meanwhile."""
        for is_pending in (True, False, True):
            try:
                return Delivery.from_json(self.bucket.get(self.webhook_key(delivery_id, is_pending=is_pending))[0])
            except errors.NotFound:
                continue
        raise errors.NotFound(private=delivery_id)

    def delivery_ids(self) -> set[str]:
        return {each["Key"].rpartition("/")[2].removesuffix(".json") for each in self.bucket.objects(f"{self.prefix}webhooks/")}

    def pending_deliveries(self) -> Iterator[Delivery]:
        for each in self.bucket.objects(f"{self.prefix}webhooks/pending/"):
            try:
                yield Delivery.from_json(self.bucket.get(each["Key"])[0])
            except errors.NotFound:
                continue
            except (ValueError, TypeError, KeyError) as error:
                log.warning("the delivery %s cannot be read: %r", each["Key"], error)
