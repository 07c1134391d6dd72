"""The store as files: one folder a job, published by one rename, ended by one link.

::

    store/
      incoming/<random>             bytes on their way, and folders about to be published
      jobs/<shard>/<id>/            source · manifest.json · outcome.json · result-<token>.webp
      trash/<random>                folders on their way out

``commit`` syncs source, manifest and their folder, then renames the folder into ``jobs`` and syncs that: a job is there whole or not at all.
``conclude`` links a synced file to ``outcome.json``: link(2) fails where one stands, so a job ends once, whoever comes second.
A failed sync is a failed write; the descriptor is never tried again (fsync(2) may report an error once and then forget it).
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from backend import errors
from backend.core.headers import ReadAt
from backend.core.job import Manifest, Status
from backend.ports import Upload

T = TypeVar("T")
FULL = {errno.ENOSPC, errno.EDQUOT}
SHARDS = 256


class FileUpload:
    """Hashes as it writes. Use from one thread at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size_bytes = 0
        self._hash = hashlib.sha256()
        with translated():
            self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, chunk: bytes) -> None:
        with translated():
            _write_all(self.fd, chunk)
        self._hash.update(chunk)
        self.size_bytes += len(chunk)

    def sha256(self) -> str:
        return self._hash.hexdigest()

    def inspect(self, look: Callable[[ReadAt, int], T]) -> T:
        return look(lambda offset, length: os.pread(self.fd, length, offset), self.size_bytes)

    def discard(self) -> None:
        self.close()
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)


class FileTarget:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)

    def keep(self) -> tuple[str, str]:
        digest = hashlib.sha256()
        with translated():
            os.lseek(self.fd, 0, os.SEEK_SET)
            while chunk := os.read(self.fd, 1 << 20):
                digest.update(chunk)
            _sync_data(self.fd)
            self.close()
        return self.path.name, digest.hexdigest()

    def discard(self) -> None:
        self.close()
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)


class FileBlob:
    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.size_bytes = os.fstat(self._fd).st_size

    def read_at(self, offset: int, length: int) -> bytes:
        return os.pread(self._fd, length, offset)

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


class FileStore:
    """Safe for many processes on one file system. ``min_free_bytes`` is kept free for results and manifests."""

    def __init__(self, root: Path, *, min_free_bytes: int = 0) -> None:
        self.root = root
        self.min_free_bytes = min_free_bytes
        self._incoming, self._jobs, self._trash = root / "incoming", root / "jobs", root / "trash"

    def prepare(self) -> None:
        """Make the folders, synced. Called once by whoever starts the gateway or an encoder."""
        with translated():
            for folder in (self.root, self._incoming, self._trash, self._jobs, *(self._jobs / f"{number:02x}" for number in range(SHARDS))):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (self._jobs, self.root, self.root.parent):
                _sync_folder(folder)

    def begin(self) -> FileUpload:
        self.check()
        return FileUpload(self._incoming / secrets.token_hex(16))

    def commit(self, upload: Upload, manifest: Manifest) -> None:
        assert isinstance(upload, FileUpload)
        staged = self._incoming / f"{secrets.token_hex(16)}.job"
        with translated():
            try:
                self._stage(upload, manifest, staged)
                staged.rename(self._folder(manifest.id))
            except OSError:
                shutil.rmtree(staged, ignore_errors=True)
                raise
            if not manifest.is_passing:
                _sync_folder(self._folder(manifest.id).parent)

    def _stage(self, upload: FileUpload, manifest: Manifest, staged: Path) -> None:
        staged.mkdir(mode=0o700)
        if not manifest.is_passing:
            _sync_data(upload.fd)
        upload.close()
        upload.path.rename(staged / "source")
        _write_file(staged / "manifest.json", manifest.to_json(), sync=not manifest.is_passing)
        if not manifest.is_passing:
            _sync_folder(staged)

    def manifest(self, job_id: str) -> Manifest:
        with translated(errors.NotFound):
            return Manifest.from_json((self._folder(job_id) / "manifest.json").read_bytes())

    def outcome(self, job_id: str) -> Status | None:
        try:
            return Status.from_json((self._folder(job_id) / "outcome.json").read_bytes())
        except FileNotFoundError:
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

    def conclude(self, job_id: str, status: Status) -> bool:
        folder = self._folder(job_id)
        staged = folder / f"outcome-{secrets.token_hex(8)}.part"
        with translated(errors.NotFound):
            try:
                _write_file(staged, status.to_json(), sync=True)
                os.link(staged, folder / "outcome.json")
            except FileExistsError:
                return False
            finally:
                staged.unlink(missing_ok=True)
            _sync_folder(folder)
        return True

    def erase(self, job_id: str) -> int:
        """The folder leaves ``jobs`` by one rename, so a kill in the midst leaves only trash for ``tidy``."""
        doomed = self._trash / secrets.token_hex(16)
        try:
            with translated(errors.NotFound):
                self._folder(job_id).rename(doomed)
                _sync_folder(self._folder(job_id).parent)
        except errors.NotFound:
            return 0
        return _remove(doomed)

    def jobs(self) -> Iterator[Manifest]:
        """Passes over what is no job: erased meanwhile, torn by a power cut (a passing job's manifest is not synced), a desktop's own files."""
        for shard in sorted(each for each in self._jobs.iterdir() if each.is_dir()):
            for folder in sorted(shard.iterdir()):
                try:
                    yield self.manifest(folder.name)
                except (errors.NotFound, ValueError, TypeError, KeyError):
                    continue

    def tidy(self, older_than_s: float) -> int:
        doomed = [path for path in self._incoming.iterdir() if _age_s(path) > older_than_s]
        doomed += list(self._trash.iterdir())
        for path in doomed:
            _remove(path)
        return len(doomed)

    def check(self) -> None:
        with translated():
            free_bytes = shutil.disk_usage(self.root).free
        if free_bytes < self.min_free_bytes:
            raise errors.StorageFull(private=f"{free_bytes} bytes free, the floor is {self.min_free_bytes}")

    def _folder(self, job_id: str) -> Path:
        return self._jobs / hashlib.sha256(job_id.encode()).hexdigest()[:2] / job_id


@contextmanager
def translated(missing: type[errors.GatewayError] | None = None) -> Iterator[None]:
    """No OSError leaves the store: a missing file is ``missing``, a full disk ``StorageFull``, the rest ``BackendUnavailable``."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise errors.StorageFull(private=str(error)) from error
        if missing and error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise missing(private=str(error)) from error
        raise errors.BackendUnavailable(part="store", retry_after_s=5, private=repr(error)) from error


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _write_file(path: Path, text: str, *, sync: bool) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        _write_all(fd, text.encode())
        if sync:
            _sync_data(fd)
    finally:
        os.close(fd)


def _sync_data(fd: int) -> None:
    getattr(os, "fdatasync", os.fsync)(fd)


def _sync_folder(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _remove(path: Path) -> int:
    """Delete a file or folder; the bytes it held. Another process may be deleting it too."""
    freed = 0
    for folder, _, files in os.walk(path):
        for name in files:
            try:
                freed += os.stat(os.path.join(folder, name)).st_size
            except FileNotFoundError:
                continue
    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    return freed
