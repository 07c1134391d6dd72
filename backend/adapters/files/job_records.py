"""Manifests, outcomes and batches as JSON files in the store's folder."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

from backend import errors
from backend.adapters.files import disk
from backend.adapters.files.disk import remove, sync_folder, translate_errors, write_file
from backend.adapters.files.store_folder import StoreFolder
from backend.core.batch import Batch
from backend.core.job import Manifest, Status

log = logging.getLogger(__name__)


class FileJobRecords(StoreFolder):
    def manifest(self, job_id: str) -> Manifest:
        with translate_errors(errors.NotFound):
            return Manifest.from_json((self.job_folder(job_id) / "manifest.json").read_bytes())

    def manifests(self) -> Iterator[Manifest]:
        """Skips what is no job: erased meanwhile, torn by a power cut (an ephemeral job's manifest is not synced), files of a desktop."""
        for shard in _folders_in(self.all_jobs):
            for folder in _folders_in(shard):
                try:
                    yield self.manifest(folder.name)
                except errors.NotFound:
                    continue
                except (errors.BackendUnavailable, ValueError, TypeError, KeyError) as error:
                    log.warning("the manifest of job %s cannot be read: %r", folder.name, error)

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


def _folders_in(path: Path) -> list[Path]:
    with translate_errors():
        return sorted(Path(each) for each in os.scandir(path) if each.is_dir())


def _delete_other_results(folder: Path, outcome: Status | None) -> None:
    """Delete what encoders wrote and the outcome does not name: of a cancelled, lost or second encode. What cannot be deleted goes with the job."""
    kept = outcome.result.file if outcome and outcome.result else None
    try:
        others = [path for path in folder.glob("result-*") if path.name != kept]
    except OSError as error:
        log.warning("the results of %s could not be listed for deletion: %r", folder.name, error)
        return
    for path in others:
        disk.discard(path)
