"""Set-up of the store's folder, and the removal of what killed processes and power cuts left in it."""

from __future__ import annotations

import time
from pathlib import Path

from backend.adapters.files.disk import age_s, remove, sync_folder, translate_errors
from backend.adapters.files.store_folder import StoreFolder
from backend.core.batch import Batch
from backend.core.job import Manifest
from backend.core.webhooks import Delivery


class FileHousekeeping(StoreFolder):
    def prepare(self) -> None:
        """Make the folders, synced."""
        with translate_errors():
            webhooks = (self.pending_webhooks.parent, self.pending_webhooks, self.ended_webhooks)
            for folder in (self.root, self.incoming, self.batches, self.trash, *webhooks, self.all_jobs, *self.shards()):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (self.all_jobs, self.pending_webhooks.parent, self.root, self.root.parent):
                sync_folder(folder)

    def probe(self) -> None:
        """A folder needs no trial beyond ``check``."""

    def clean_up(self, older_than_s: float) -> int:
        now = time.time()
        with translate_errors():
            doomed = [path for path in self.incoming.iterdir() if age_s(path) > older_than_s]
            doomed += list(self.trash.iterdir())
            doomed += [path for path in self.batches.iterdir() if _has_expired(path, now)]
            doomed += [path for path in self.ended_webhooks.iterdir() if age_s(path) > 0 and _is_kept_no_longer(path, now)]
            doomed += [path for path in self.all_jobs.glob("*/*/") if age_s(path) > older_than_s and _is_torn(path)]
        return sum(map(remove, doomed))


def _has_expired(path: Path, now: float) -> bool:
    """Also True for a file that is no batch: batches are renamed into place as a whole, so nobody is still writing it."""
    try:
        return Batch.from_json(path.read_bytes()).expires_at < now
    except OSError:
        return False
    except (ValueError, TypeError, KeyError):
        return True


def _is_kept_no_longer(path: Path, now: float) -> bool:
    """Read only where the modification time says so: a copy of the folder may have lost that. Also True for a file that is no delivery."""
    try:
        return (Delivery.from_json(path.read_bytes()).kept_until or 0.0) < now
    except OSError:
        return False
    except (ValueError, TypeError, KeyError):
        return True


def _is_torn(folder: Path) -> bool:
    """Whether it is a job without a readable manifest: an ephemeral one after a power cut, or one whose erasing was interrupted."""
    try:
        Manifest.from_json((folder / "manifest.json").read_bytes())
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return True
    except OSError:
        return False
    return False
