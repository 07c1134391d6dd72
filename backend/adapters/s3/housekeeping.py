"""Set-up and trial of a bucket, and the removal of what killed processes left in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import groupby
from typing import TYPE_CHECKING

from backend import errors
from backend.adapters.s3.probe import probe
from backend.adapters.s3.upload_objects import UploadObjects
from backend.core.batch import Batch
from backend.core.webhooks import Delivery

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectTypeDef


class S3Housekeeping(UploadObjects):
    def prepare(self) -> None:
        self.spool.prepare()

    def probe(self) -> None:
        probe(self.bucket, self.prefix)

    def clean_up(self, older_than_s: float) -> int:
        freed = self.spool.clean_up(older_than_s) + self._delete_torn_jobs(older_than_s) + self.delete_orphan_pieces(older_than_s)
        return freed + self._delete_expired("batches/", _has_expired) + self._delete_expired("webhooks/ended/", _is_kept_no_longer)

    def _delete_torn_jobs(self, older_than_s: float) -> int:
        """The listing is sorted, so the objects of one job stand together."""
        jobs = groupby(self.bucket.objects(f"{self.prefix}jobs/"), key=lambda each: each["Key"].rpartition("/")[0])
        return sum(self._delete_if_torn(list(found), older_than_s) for _, found in jobs)

    def _delete_if_torn(self, found: list[ObjectTypeDef], older_than_s: float) -> int:
        """``found`` are the objects of one job. Without a manifest they belong to nobody, once they are old enough."""
        if any(each["Key"].endswith("/manifest.json") for each in found):
            return 0
        if any(time.time() - each["LastModified"].timestamp() <= older_than_s for each in found):
            return 0
        self.bucket.delete([each["Key"] for each in found])
        return sum(each["Size"] for each in found)

    def _delete_expired(self, folder: str, is_over: Callable[[bytes], bool]) -> int:
        """Delete the records below ``folder`` that are over, and objects that are no such record."""
        freed = 0
        for each in self.bucket.objects(f"{self.prefix}{folder}"):
            try:
                is_doomed = is_over(self.bucket.get(each["Key"])[0])
            except errors.NotFound:
                continue
            except (ValueError, TypeError, KeyError):
                is_doomed = True
            if is_doomed:
                self.bucket.delete([each["Key"]])
                freed += each["Size"]
        return freed


def _has_expired(batch: bytes) -> bool:
    return Batch.from_json(batch).expires_at < time.time()


def _is_kept_no_longer(delivery: bytes) -> bool:
    return (Delivery.from_json(delivery).kept_until or 0.0) < time.time()
