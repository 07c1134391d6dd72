"""Manifests, outcomes and batches as JSON objects. ``outcome.json`` is put only where none is, so a job ends once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TypeVar

from backend import errors
from backend.adapters.s3.bucket import AlreadyExists
from backend.adapters.s3.store_objects import StoreObjects
from backend.core.batch import Batch
from backend.core.job import Manifest, Status

log = logging.getLogger(__name__)


T = TypeVar("T")


class S3JobRecords(StoreObjects):
    def _read(self, key: str, parse: Callable[[bytes], T]) -> T:
        """Raises ``NotFound``. What is no record of ours came from something between here and the service."""
        text = self.bucket.get(key)[0]
        try:
            return parse(text)
        except (ValueError, TypeError, KeyError) as error:
            raise errors.BackendUnavailable(part="store", retry_after_s=5, private=f"{key} cannot be read: {error!r}") from error

    def manifest(self, job_id: str) -> Manifest:
        return self._read(self.manifest_key(job_id), Manifest.from_json)

    def manifests(self) -> Iterator[Manifest]:
        """Skips what is erased meanwhile and what cannot be read."""
        for each in self.bucket.objects(f"{self.prefix}jobs/"):
            key = each["Key"]
            if not key.endswith("/manifest.json"):
                continue
            try:
                yield Manifest.from_json(self.bucket.get(key)[0])
            except errors.NotFound:
                continue
            except (ValueError, TypeError, KeyError) as error:
                log.warning("the manifest %s cannot be read: %r", key, error)

    def outcome(self, job_id: str) -> Status | None:
        try:
            return self._read(self.job_key(job_id, "outcome.json"), Status.from_json)
        except errors.NotFound:
            return None

    def commit_outcome(self, job_id: str, status: Status, *, durable: bool = True) -> bool:
        """Checks again afterwards that the job is there: an erase in between must not leave an outcome without a job."""
        self.check_job_exists(job_id)
        is_first = True
        try:
            self.bucket.put_new(self.job_key(job_id, "outcome.json"), status.to_json(), {})
        except AlreadyExists:
            is_first = False
        try:
            self.check_job_exists(job_id)
        except errors.NotFound:
            self.erase(job_id)
            raise
        try:
            self._delete_other_results(job_id, status if is_first else self.outcome(job_id))
        except errors.BackendUnavailable as error:
            log.info("job %s has ended, and other encoders' results stay until it is erased: %s", job_id, error.private)
        return is_first

    def _delete_other_results(self, job_id: str, outcome: Status | None) -> None:
        kept = outcome.result.file if outcome and outcome.result else None
        found = [each["Key"] for each in self.bucket.objects(self.job_key(job_id, "result-"))]
        self.bucket.delete([key for key in found if key.rpartition("/")[2] != kept])

    def erase(self, job_id: str, *, durable: bool = True) -> int:
        """The manifest goes first, so a kill in between leaves no job, and objects that ``clean_up`` deletes."""
        found = list(self.bucket.objects(self.job_key(job_id, "")))
        if not found:
            return 0
        self.bucket.delete([self.manifest_key(job_id)])
        self.bucket.delete([each["Key"] for each in found])
        return sum(each["Size"] for each in found)

    def save_batch(self, batch: Batch) -> None:
        self.bucket.put(self.batch_key(batch.id), batch.to_json())

    def batch(self, batch_id: str) -> Batch:
        return self._read(self.batch_key(batch_id), Batch.from_json)

    def erase_batch(self, batch_id: str) -> None:
        self.bucket.delete([self.batch_key(batch_id)])
