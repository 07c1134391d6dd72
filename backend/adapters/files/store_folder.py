"""The folder of a file store, and where each thing lies in it.

::

    store/
      incoming/<random>             what is being written: uploads, outcomes, folders of new jobs
      jobs/<shard>/<id>/            source, manifest.json, result-<token>.webp, outcome.json
      batches/<id>.json             which jobs came together
      webhooks/pending/<id>.json    what is to be sent when, and what was tried
      webhooks/ended/<id>.json      the same of a delivery that has ended; its modification time is until when it is kept
      trash/<random>                erased jobs, until their files are deleted
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import shutil
from pathlib import Path

from backend import errors
from backend.adapters.files.disk import FULL, remove, sync_folder, translate_errors

log = logging.getLogger(__name__)
SHARDS = 256


class StoreFolder:
    def __init__(self, root: Path, *, min_free_bytes: int = 0) -> None:
        """``min_free_bytes`` of the disk are kept free for results and manifests: no upload begins below."""
        self.root = root
        self.min_free_bytes = min_free_bytes
        self.incoming, self.all_jobs, self.batches, self.trash = (root / name for name in ("incoming", "jobs", "batches", "trash"))
        self.pending_webhooks, self.ended_webhooks = root / "webhooks" / "pending", root / "webhooks" / "ended"

    def shards(self) -> list[Path]:
        return [self.all_jobs / f"{number:02x}" for number in range(SHARDS)]

    def job_folder(self, job_id: str) -> Path:
        return self.all_jobs / hashlib.sha256(job_id.encode()).hexdigest()[:2] / job_id

    def batch_file(self, batch_id: str) -> Path:
        return self.batches / f"{batch_id}.json"

    def new_path(self, suffix: str = "") -> Path:
        return self.incoming / f"{secrets.token_hex(16)}{suffix}"

    def check(self) -> None:
        """Raises ``StorageFull`` below ``min_free_bytes``."""
        with translate_errors():
            free_bytes = shutil.disk_usage(self.root).free
        if free_bytes < self.min_free_bytes:
            raise errors.StorageFull(private=f"{free_bytes} bytes free, the minimum is {self.min_free_bytes}")

    def publish_job(self, staged: Path, job_id: str, *, durable: bool) -> None:
        """Move the folder of a job to its place. Raises ``OSError``; one that cannot be synced there is taken back."""
        folder = self.job_folder(job_id)
        os.rename(staged, folder)
        if not durable:
            return
        try:
            sync_folder(folder.parent)
        except OSError:
            self._take_back(folder)
            raise

    def _take_back(self, folder: Path) -> None:
        try:
            remove(self.retire_job(folder))
        except OSError as error:
            log.error("a job that could not be synced could not be taken back either: %r", error)

    def retire_job(self, folder: Path) -> Path:
        """Move the folder into the trash and return where it lies now, for ``remove``. Raises ``OSError``.

        A disk too full for another name deletes the manifest instead: then it is no job either.
        """
        doomed = self.trash / secrets.token_hex(16)
        try:
            os.rename(folder, doomed)
        except OSError as error:
            if error.errno not in FULL:
                raise
            (folder / "manifest.json").unlink()
            return folder
        return doomed
