"""Manifests, outcomes and batches as JSON objects. ``outcome.json`` is put only where none is, so a job ends once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TypeVar

from backend import errors
from backend.adapters import read_many
from backend.adapters.s3.bucket import AlreadyExists
from backend.adapters.s3.source_names import line_of
from backend.adapters.s3.store_objects import SOURCE, StoreObjects
from backend.core.batch import Batch
from backend.core.job import Manifest, Status
from backend.ports.job_records import JobPage, ListedJob, ManyRead

log = logging.getLogger(__name__)
BEHIND = "~"
"""Comes after the name of every object of a job."""
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

    def job_page(self, place: str = "", limit: int = 500) -> JobPage:
        """In the order of the ids; ``place`` is the last one seen. The names of a job's objects show everything: no object is read.

        One listing makes a page. Its last job may go on in the next listing, so it is left to that one.
        """
        folder = f"{self.prefix}jobs/"
        keys, is_all = self.bucket.keys_after(folder, f"{folder}{place}/{BEHIND}" if place else "")
        jobs = [(job_id, [name for _, name in found]) for job_id, found in groupby(map(_split, keys), key=lambda each: each[0])]
        if not is_all and len(jobs) == 1:
            jobs = [(jobs[0][0], [each["Key"].rpartition("/")[2] for each in self.bucket.objects(self.job_key(jobs[0][0], ""))])]
        elif not is_all:
            del jobs[-1]
        is_all = is_all and len(jobs) <= limit
        listed = (_listed(job_id, names) for job_id, names in jobs[:limit])
        return JobPage(tuple(each for each in listed if each), None if is_all else jobs[:limit][-1][0])

    def manifests(self, ids: Sequence[str]) -> ManyRead:
        return read_many.manifests(self, ids)

    def unfinished(self, ids: Sequence[str]) -> ManyRead:
        return read_many.unfinished(self, ids)

    def reach(self) -> None:
        """Raises ``BackendUnavailable``."""
        self.bucket.check()

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
        kept = outcome.files if outcome else frozenset()
        found = [each["Key"] for each in self.bucket.objects(self.job_key(job_id, "result-"))]
        self.bucket.delete([key for key in found if key.rpartition("/")[2] not in kept])

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


def _split(key: str) -> tuple[str, str]:
    """The job's id, and the name of the object."""
    folder, _, name = key.rpartition("/")
    return folder.rpartition("/")[2], name


def _listed(job_id: str, names: Sequence[str]) -> ListedJob | None:
    """None for what a killed process left without a manifest."""
    if "manifest.json" not in names:
        return None
    lines = (line_of(job_id, name) for name in names if name.startswith(SOURCE))
    return ListedJob(job_id, "outcome.json" in names, next(filter(None, lines), None))
