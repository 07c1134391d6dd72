"""Manifests, outcomes and batches as JSON files in the store's folder."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from backend import errors
from backend.adapters import read_many
from backend.adapters.files import disk
from backend.adapters.files.disk import remove, sync_folder, translate_errors, write_file
from backend.adapters.files.store_folder import StoreFolder
from backend.core.batch import Batch
from backend.core.job import Manifest, Status
from backend.ports.job_records import JobPage, ListedJob, ManyRead

log = logging.getLogger(__name__)


class FileJobRecords(StoreFolder):
    def manifest(self, job_id: str) -> Manifest:
        with translate_errors(errors.NotFound):
            return Manifest.from_json((self.job_folder(job_id) / "manifest.json").read_bytes())

    def job_page(self, place: str = "", limit: int = 500) -> JobPage:
        """In the order of the shards, and of the ids in each; ``place`` is both. Whether a job has ended is seen by the names in its folder."""
        listed: list[ListedJob] = []
        for shard, name in self._places_after(place):
            if len(listed) == limit:
                return JobPage(tuple(listed), place)
            place = f"{shard}/{name}"
            listed.extend(self._listed(shard, name))
        return JobPage(tuple(listed), None)

    def _listed(self, shard: str, name: str) -> Iterator[ListedJob]:
        """One whose folder the disk cannot read looks like one that has not ended: reading it shows that it cannot be read."""
        try:
            names = _names_in(self.all_jobs / shard / name)
        except errors.BackendUnavailable:
            self.reach()
            yield ListedJob(name, has_ended=False)
            return
        if "manifest.json" in names:
            yield ListedJob(name, "outcome.json" in names)

    def _places_after(self, place: str) -> Iterator[tuple[str, str]]:
        after = tuple(place.partition("/")[::2])
        for shard in sorted(_names_in(self.all_jobs)):
            if shard >= after[0]:
                yield from ((shard, name) for name in sorted(_names_in(self.all_jobs / shard)) if (shard, name) > after)

    def manifests(self, ids: Sequence[str]) -> ManyRead:
        return read_many.manifests(self, ids)

    def unfinished(self, ids: Sequence[str]) -> ManyRead:
        return read_many.unfinished(self, ids)

    def reach(self) -> None:
        """Raises ``BackendUnavailable``."""
        with translate_errors():
            os.stat(self.all_jobs)

    def outcome(self, job_id: str) -> Status | None:
        try:
            with translate_errors(errors.NotFound):
                return Status.from_json((self.job_folder(job_id) / "outcome.json").read_bytes())
        except errors.NotFound:
            return None

    def commit_outcome(self, job_id: str, status: Status, *, durable: bool = True) -> bool:
        """Syncs also an outcome that another process linked: that process may have died before its own sync."""
        folder = self.job_folder(job_id)
        with translate_errors(errors.NotFound):
            is_first = self._link_outcome(folder, status, durable)
            if durable:
                sync_folder(folder)
        _delete_other_results(folder, status if is_first else self.outcome(job_id))
        return is_first

    def _link_outcome(self, folder: Path, status: Status, durable: bool) -> bool:
        staged = self.new_path()
        try:
            write_file(staged, status.to_json(), sync=durable)
            os.link(staged, folder / "outcome.json")
        except FileExistsError:
            return False
        finally:
            disk.discard(staged)
        return True

    def erase(self, job_id: str, *, durable: bool = True) -> int:
        """The folder disappears by one rename; a kill after it leaves only trash, which ``clean_up`` deletes."""
        folder = self.job_folder(job_id)
        try:
            with translate_errors(errors.NotFound):
                try:
                    doomed = self.retire_job(folder)
                finally:
                    if durable:
                        sync_folder(folder.parent)
        except errors.NotFound:
            return 0
        return remove(doomed)

    def save_batch(self, batch: Batch) -> None:
        path, staged = self.batch_file(batch.id), self.new_path()
        with translate_errors():
            try:
                write_file(staged, batch.to_json(), sync=True)
                staged.rename(path)
                sync_folder(self.batches)
            except OSError:
                disk.discard(staged)
                disk.discard(path)
                raise

    def batch(self, batch_id: str) -> Batch:
        with translate_errors(errors.NotFound):
            return Batch.from_json(self.batch_file(batch_id).read_bytes())

    def erase_batch(self, batch_id: str) -> None:
        with translate_errors():
            self.batch_file(batch_id).unlink(missing_ok=True)
            sync_folder(self.batches)


def _names_in(folder: Path) -> list[str]:
    """Nothing for a folder that was erased meanwhile, and for a file of a desktop that is none."""
    try:
        with translate_errors(errors.NotFound):
            return os.listdir(folder)
    except errors.NotFound:
        return []


def _delete_other_results(folder: Path, outcome: Status | None) -> None:
    """Delete what encoders wrote and the outcome does not name: of a cancelled, lost or second encode. What cannot be deleted goes with the job."""
    kept = outcome.files if outcome else frozenset()
    try:
        others = [path for path in folder.glob("result-*") if path.name not in kept]
    except OSError as error:
        log.warning("the results of %s could not be listed for deletion: %r", folder.name, error)
        return
    for path in others:
        disk.discard(path)
