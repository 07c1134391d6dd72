"""The store as files: one folder a job, published by one rename, ended by one link.

::

    store/
      incoming/<random>             bytes on their way, ends on their way, and folders about to be published
      jobs/<shard>/<id>/            source · manifest.json · outcome.json · result-<token>.webp
      batches/<id>.json             which jobs came together
      trash/<random>                folders on their way out

``commit`` syncs source, manifest and their folder, then renames the folder into ``jobs`` and syncs that: a job is there whole or not at all.
Where the last sync fails, the folder is taken out again: what was not acknowledged does not run.
``conclude`` links a synced file to ``outcome.json``: link(2) fails where one stands, so a job ends once, whoever comes second.
A failed sync is a failed write; the descriptor is never tried again (fsync(2) may report an error once and then forget it).
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from backend import errors
from backend.adapters.files import disk
from backend.adapters.files.append_file import AppendFile
from backend.adapters.files.disk import FULL, age_s, remove, sync_data, sync_folder, translated, write_file
from backend.core.batch import Batch
from backend.core.image_headers import ReadAt
from backend.core.job import Manifest, Status
from backend.ports.store import Upload

T = TypeVar("T")
log = logging.getLogger(__name__)
SHARDS = 256


class FileUpload(AppendFile):
    """Hashes as it grows."""

    def __init__(self, path: Path, fd: int, size_bytes: int = 0, known: hashlib._Hash | None = None) -> None:
        """Takes ``fd``; ``known`` is the sum of what is in it."""
        self.path = path
        self._hash = known or hashlib.sha256()
        super().__init__(fd, size_bytes, [self._hash.update])

    @classmethod
    def create(cls, path: Path) -> FileUpload:
        with translated():
            return cls(path, os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))

    def sha256(self) -> str:
        self.catch_up()
        return self._hash.hexdigest()

    def inspect(self, look: Callable[[ReadAt, int], T]) -> T:
        with translated():
            return look(lambda offset, length: os.pread(self.fd, length, offset), self.size_bytes)

    def discard(self) -> None:
        self.close()
        disk.discard(self.path)


class LinkedUpload(FileUpload):
    """Bytes that the store has already, under a second name: nothing is copied and nothing is hashed again."""

    def __init__(self, path: Path, known: Path, sha256: str) -> None:
        with translated(errors.NotFound):
            os.link(known, path)
            fd = -1
            try:
                fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                super().__init__(path, fd, os.fstat(fd).st_size)
            except OSError:
                disk.close(fd)
                disk.discard(path)
                raise
        self._sha256 = sha256

    def sha256(self) -> str:
        return self._sha256


class FileTarget:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)

    def keep(self, *, lasts: bool = True) -> tuple[str, str]:
        digest = hashlib.sha256()
        with translated():
            os.lseek(self.fd, 0, os.SEEK_SET)
            while chunk := os.read(self.fd, 1 << 20):
                digest.update(chunk)
            if lasts:
                sync_data(self.fd)
            self.close()
        return self.path.name, digest.hexdigest()

    def discard(self) -> None:
        self.close()
        disk.discard(self.path)

    def close(self) -> None:
        fd, self.fd = self.fd, -1
        disk.close(fd)


class FileBlob:
    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.size_bytes = os.fstat(self._fd).st_size
        except OSError:
            self.close()
            raise

    def read_at(self, offset: int, length: int) -> bytes:
        with translated():
            return os.pread(self._fd, length, offset)

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        disk.close(fd)


class FileStore:
    """Safe for many processes on one file system. ``min_free_bytes`` is kept free for results and manifests."""

    def __init__(self, root: Path, *, min_free_bytes: int = 0) -> None:
        self.root = root
        self.min_free_bytes = min_free_bytes
        self._incoming, self._jobs, self._batches, self._trash = (root / name for name in ("incoming", "jobs", "batches", "trash"))

    def prepare(self) -> None:
        """Make the folders, synced. Called once by whoever starts the gateway or an encoder."""
        with translated():
            for folder in (
                self.root,
                self._incoming,
                self._batches,
                self._trash,
                self._jobs,
                *(self._jobs / f"{number:02x}" for number in range(SHARDS)),
            ):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (self._jobs, self.root, self.root.parent):
                sync_folder(folder)

    def examine(self) -> None:
        """A folder has nothing to be tried out beyond what ``check`` looks at."""

    def begin(self) -> FileUpload:
        self.check()
        return FileUpload.create(self._incoming / secrets.token_hex(16))

    def again(self, manifest: Manifest) -> LinkedUpload:
        return LinkedUpload(self._incoming / secrets.token_hex(16), self._folder(manifest.id) / "source", manifest.source.sha256)

    def commit(self, upload: Upload, manifest: Manifest) -> bool:
        assert isinstance(upload, FileUpload)
        staged = self._incoming / f"{secrets.token_hex(16)}.job"
        with translated():
            try:
                self._stage(upload, manifest, staged)
                staged.rename(self._folder(manifest.id))
            except OSError as error:
                remove(staged)
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                    return False
                raise
            if not manifest.is_ephemeral:
                self._settle(self._folder(manifest.id))
        return True

    def _stage(self, upload: FileUpload, manifest: Manifest, staged: Path) -> None:
        staged.mkdir(mode=0o700)
        if not manifest.is_ephemeral:
            sync_data(upload.fd)
        upload.close()
        upload.path.rename(staged / "source")
        write_file(staged / "manifest.json", manifest.to_json(), sync=not manifest.is_ephemeral)
        if not manifest.is_ephemeral:
            sync_folder(staged)

    def _settle(self, folder: Path) -> None:
        try:
            sync_folder(folder.parent)
        except OSError:
            try:
                remove(self._retired(folder))
            except OSError as error:
                log.error("a job that could not be synced could not be taken back either: %r", error)
            raise

    def promise(self, manifest: Manifest) -> None:
        staged = self._incoming / f"{secrets.token_hex(16)}.job"
        with translated():
            try:
                staged.mkdir(mode=0o700)
                write_file(staged / "manifest.json", manifest.to_json(), sync=True)
                sync_folder(staged)
                staged.rename(self._folder(manifest.id))
            except OSError:
                remove(staged)
                raise
            self._settle(self._folder(manifest.id))

    def supply(self, upload: Upload, manifest: Manifest) -> None:
        """The source comes first: a kill in between leaves a job that is fetched again."""
        assert isinstance(upload, FileUpload)
        folder, staged = self._folder(manifest.id), self._incoming / secrets.token_hex(16)
        with translated(errors.NotFound):
            try:
                sync_data(upload.fd)
                upload.close()
                write_file(staged, manifest.to_json(), sync=True)
                upload.path.rename(folder / "source")
                sync_folder(folder)
                staged.rename(folder / "manifest.json")
                sync_folder(folder)
            except OSError:
                disk.discard(staged)
                raise

    def keep_batch(self, batch: Batch) -> None:
        path = self._batches / f"{batch.id}.json"
        staged = self._incoming / secrets.token_hex(16)
        with translated():
            try:
                write_file(staged, batch.to_json(), sync=True)
                staged.rename(path)
                sync_folder(self._batches)
            except OSError:
                disk.discard(staged)
                disk.discard(path)
                raise

    def batch(self, batch_id: str) -> Batch:
        with translated(errors.NotFound):
            return Batch.from_json((self._batches / f"{batch_id}.json").read_bytes())

    def manifest(self, job_id: str) -> Manifest:
        with translated(errors.NotFound):
            return Manifest.from_json((self._folder(job_id) / "manifest.json").read_bytes())

    def outcome(self, job_id: str) -> Status | None:
        try:
            with translated(errors.NotFound):
                return Status.from_json((self._folder(job_id) / "outcome.json").read_bytes())
        except errors.NotFound:
            return None

    def open_source(self, job_id: str) -> FileBlob:
        with translated(errors.NotFound):
            return FileBlob(self._folder(job_id) / "source")

    def open_result(self, job_id: str, file: str) -> FileBlob:
        with translated(errors.Gone):
            return FileBlob(self._folder(job_id) / os.path.basename(file))

    def begin_result(self, job_id: str, token: str) -> FileTarget:
        with translated(errors.NotFound):
            return FileTarget(self._folder(job_id) / f"result-{token}.webp")

    def share(self, from_id: str, file: str, job_id: str, token: str) -> str:
        """A second name for the same bytes, synced (a passing job's were not); ``conclude`` syncs the folder that it stands in."""
        name = f"result-{token}.webp"
        known, own = self._folder(from_id) / os.path.basename(file), self._folder(job_id)
        with translated(errors.NotFound):
            os.stat(own)
            with translated(errors.Gone):
                os.link(known, own / name)
            _sync_bytes(own / name)
        return name

    def conclude(self, job_id: str, status: Status, *, lasts: bool = True) -> bool:
        """An end that stands is synced again before anybody hears of it: whoever linked it may have died, or failed, just then."""
        folder = self._folder(job_id)
        with translated(errors.NotFound):
            is_first = self._link_outcome(folder, status, lasts)
            if lasts:
                sync_folder(folder)
        _sweep_results(folder, status if is_first else self.outcome(job_id))
        return is_first

    def _link_outcome(self, folder: Path, status: Status, lasts: bool) -> bool:
        staged = self._incoming / secrets.token_hex(16)
        try:
            write_file(staged, status.to_json(), sync=lasts)
            os.link(staged, folder / "outcome.json")
        except FileExistsError:
            return False
        finally:
            disk.discard(staged)
        return True

    def erase(self, job_id: str, *, lasts: bool = True) -> int:
        """The folder leaves ``jobs`` by one rename, so a kill in the midst leaves only trash for ``tidy``."""
        folder = self._folder(job_id)
        try:
            with translated(errors.NotFound):
                try:
                    doomed = self._retired(folder)
                finally:
                    if lasts:
                        sync_folder(folder.parent)
        except errors.NotFound:
            return 0
        return remove(doomed)

    def _retired(self, folder: Path) -> Path:
        """Where the folder lies now, out of sight. A disk that is too full for another name loses the manifest first: then it is no job either."""
        doomed = self._trash / secrets.token_hex(16)
        try:
            folder.rename(doomed)
        except OSError as error:
            if error.errno not in FULL:
                raise
            (folder / "manifest.json").unlink()
            return folder
        return doomed

    def jobs(self) -> Iterator[Manifest]:
        """Passes over what is no job: erased meanwhile, torn by a power cut (a passing job's manifest is not synced), a desktop's own files."""
        for shard in _folders(self._jobs):
            for folder in _folders(shard):
                try:
                    yield self.manifest(folder.name)
                except errors.NotFound:
                    continue
                except (errors.BackendUnavailable, ValueError, TypeError, KeyError) as error:
                    log.warning("the manifest of job %s cannot be read: %r", folder.name, error)

    def tidy(self, older_than_s: float) -> int:
        now = time.time()
        with translated():
            doomed = [path for path in self._incoming.iterdir() if age_s(path) > older_than_s]
            doomed += list(self._trash.iterdir())
            doomed += [path for path in self._batches.iterdir() if _is_over(path, now)]
            doomed += [path for path in self._jobs.glob("*/*/") if age_s(path) > older_than_s and _is_torn(path)]
        return sum(map(remove, doomed))

    def check(self) -> None:
        with translated():
            free_bytes = shutil.disk_usage(self.root).free
        if free_bytes < self.min_free_bytes:
            raise errors.StorageFull(private=f"{free_bytes} bytes free, the floor is {self.min_free_bytes}")

    def _folder(self, job_id: str) -> Path:
        return self._jobs / hashlib.sha256(job_id.encode()).hexdigest()[:2] / job_id


def _folders(path: Path) -> list[Path]:
    with translated():
        return sorted(Path(each) for each in os.scandir(path) if each.is_dir())


def _is_over(path: Path, now: float) -> bool:
    """What cannot be read as a batch is no use to anybody either, once nobody can be writing it."""
    try:
        return Batch.from_json(path.read_bytes()).expires_at < now
    except OSError:
        return False
    except (ValueError, TypeError, KeyError):
        return True


def _is_torn(folder: Path) -> bool:
    """A job that nobody can read: a passing one after a power cut (its manifest is not synced), or one whose erasing was cut short."""
    try:
        Manifest.from_json((folder / "manifest.json").read_bytes())
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return True
    except OSError:
        return False
    return False


def _sync_bytes(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        sync_data(fd)
    finally:
        disk.close(fd)


def _sweep_results(folder: Path, outcome: Status | None) -> None:
    """What encoders wrote that is not the result: of one that was cancelled, lost, or second. What stays goes with the job."""
    kept = outcome.result.file if outcome and outcome.result else None
    try:
        others = [path for path in folder.glob("result-*") if path.name != kept]
    except OSError as error:
        log.warning("the results of %s could not be swept: %r", folder.name, error)
        return
    for path in others:
        disk.discard(path)
