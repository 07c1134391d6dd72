"""Deliveries of webhooks as JSON files in the store's folder: those that are pending in one folder, so that these are found among many that ended."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

from backend import errors
from backend.adapters.files import disk
from backend.adapters.files.disk import sync_folder, translate_errors, write_file
from backend.adapters.files.store_folder import StoreFolder
from backend.core.webhooks import Delivery

log = logging.getLogger(__name__)


class FileDeliveryRecords(StoreFolder):
    def add_delivery(self, delivery: Delivery) -> bool:
        """Syncs the folder also for a record of another process: that one may have died before its own sync."""
        staged = self.new_path()
        with translate_errors():
            is_new = not self._ended(delivery.id).exists() and self._link_new(staged, delivery)
            sync_folder(self.pending_webhooks)
        return is_new

    def _link_new(self, staged: Path, delivery: Delivery) -> bool:
        try:
            write_file(staged, delivery.to_json(), sync=True)
            os.link(staged, self._pending(delivery.id))
        except FileExistsError:
            return False
        finally:
            disk.discard(staged)
        return True

    def save_delivery(self, delivery: Delivery) -> None:
        """A record that changes its folder is in the new one, synced, before it leaves the old one."""
        staged = self.new_path()
        here, there = self._pending(delivery.id), self._ended(delivery.id)
        target, other = (here, there) if delivery.is_pending else (there, here)
        with translate_errors():
            try:
                write_file(staged, delivery.to_json(), sync=True)
                if delivery.kept_until is not None:
                    os.utime(staged, (delivery.kept_until, delivery.kept_until))
                staged.rename(target)
            except OSError:
                disk.discard(staged)
                raise
            if other.exists():
                sync_folder(target.parent)
                other.unlink(missing_ok=True)

    def delivery(self, delivery_id: str) -> Delivery:
        """Looks a second time where it began: the record may have moved meanwhile."""
        for path in (self._pending(delivery_id), self._ended(delivery_id), self._pending(delivery_id)):
            try:
                with translate_errors(errors.NotFound):
                    return Delivery.from_json(path.read_bytes())
            except errors.NotFound:
                continue
        raise errors.NotFound(private=delivery_id)

    def delivery_ids(self) -> set[str]:
        with translate_errors():
            return {name.removesuffix(".json") for folder in (self.pending_webhooks, self.ended_webhooks) for name in os.listdir(folder)}

    def pending_deliveries(self) -> Iterator[Delivery]:
        with translate_errors():
            names = os.listdir(self.pending_webhooks)
        for name in names:
            try:
                with translate_errors(errors.NotFound):
                    yield Delivery.from_json((self.pending_webhooks / name).read_bytes())
            except errors.NotFound:
                continue
            except (errors.BackendUnavailable, ValueError, TypeError, KeyError) as error:
                log.warning("the delivery %s cannot be read: %r", name, error)

    def _pending(self, delivery_id: str) -> Path:
        return self.pending_webhooks / f"{delivery_id}.json"

    def _ended(self, delivery_id: str) -> Path:
        return self.ended_webhooks / f"{delivery_id}.json"
