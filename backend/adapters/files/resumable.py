"""Resumable uploads as files, in the store's own folder: one folder an upload.

::

    store/
      uploads/<id>/
        ticket.json    what was announced; never changes. Its time of change is the newest wish to take the upload over
        journal        one line a step (``UploadState``): the last whole one counts. Whoever holds its lock may change the upload
        data           the bytes; what lies beyond the journal's offset never was

Bytes are synced before the line that counts them, and the line before anything is answered. The lock is flock(2)'s: it belongs to the open
file, so it excludes other processes and other requests of the same one, and a killed process lets go of it.

The bytes become a job's source as a second link to the same file, which ``FileStore.commit`` renames into the job; the first is removed when
the job is there. A kill in between leaves both or the first, never none.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import logging
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from backend import errors
from backend.adapters.files import disk
from backend.adapters.files.append_file import AppendFile
from backend.adapters.files.disk import remove, sync_data, sync_folder, translated, write_all, write_file
from backend.adapters.files.store import FileUpload
from backend.core.resumable import UploadInfo, UploadState

log = logging.getLogger(__name__)
TICKET, JOURNAL, DATA = "ticket.json", "journal", "data"
COPY_BYTES = 1 << 20
TAIL_BYTES = 4096
"""The last lines of a journal; one is under 80 bytes."""


class LinkedUpload(FileUpload):
    """A file that is whole already, under a name of its own. ``known`` is the sum of its bytes, if they went by; else they are read for it."""

    def __init__(self, path: Path, known: hashlib._Hash | None) -> None:
        summed = known or hashlib.sha256()
        with translated():
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                os.utime(path)
                while known is None and (chunk := os.read(fd, COPY_BYTES)):
                    summed.update(chunk)
                super().__init__(path, fd, os.fstat(fd).st_size, summed)
            except OSError:
                disk.close(fd)
                raise


class FileUploadWriter:
    """Use from one thread at a time; ``is_wanted`` from any. One ``keep`` may run at the same time as anything that ``data`` does."""

    def __init__(self, folder: Path, incoming: Path, journal_fd: int) -> None:
        """Takes ``journal_fd``, which holds the lock."""
        self._folder, self._incoming, self._journal_fd = folder, incoming, journal_fd
        self._hash: hashlib._Hash | None = None
        self._whole: hashlib._Hash | None = None
        self._wish_ns = self._newest_wish_ns()
        self.info = UploadInfo.from_json((folder / TICKET).read_bytes())
        self.state, self._journal_bytes = _last_line(journal_fd)
        self.data = AppendFile(-1, self.state.offset_bytes, [])

    def begin(self) -> None:
        """Cut off what a killed writer left beyond the journal."""
        with translated(errors.NotFound):
            os.ftruncate(self._journal_fd, self._journal_bytes)
            if not self.state.has_job:
                self.data.fd = os.open(self._folder / DATA, os.O_RDWR | os.O_CLOEXEC)
                self.discard_unsaved()

    @property
    def position_bytes(self) -> int:
        return self.data.size_bytes

    def write(self, chunk: bytes) -> None:
        self.data.write(chunk)

    def receive_from_fd(self, source_fd: int, most_bytes: int) -> int:
        return self.data.receive_from_fd(source_fd, most_bytes)

    def read_head(self, length: int) -> bytes:
        with translated():
            return os.pread(self.data.fd, length, 0)

    def start_checksum(self, algorithm: str) -> None:
        self.data.catch_up()
        self._hash = hashlib.new(algorithm, usedforsecurity=False)
        self.data.sums.append(self._hash.update)

    def checksum(self) -> bytes:
        assert self._hash is not None, "sum_up comes first"
        self.data.catch_up()
        return self._hash.digest()

    def save(self, now: float) -> None:
        end_bytes = self.position_bytes  # what is written while the disk is busy counts the next time
        if end_bytes == self.state.offset_bytes:
            return
        with translated():
            sync_data(self.data.fd)
        self._record(self.state.at(end_bytes, now))

    def checkpoint(self, now: float) -> None:
        self.save(now)

    def discard_unsaved(self) -> None:
        begun_bytes = self.state.offset_bytes
        self._hash, self._whole = None, None if begun_bytes else hashlib.sha256()
        self.data.cut_off(begun_bytes, [self._whole.update] if self._whole else [])

    def set_length(self, length_bytes: int, now: float) -> None:
        self._record(self.state.with_length(length_bytes, now))

    def is_takeover_requested(self) -> bool:
        try:
            with translated(errors.NotFound):
                return self._newest_wish_ns() != self._wish_ns
        except errors.NotFound:
            return True

    def create_upload(self) -> LinkedUpload:
        self.data.catch_up()
        path = self._incoming / secrets.token_hex(16)
        with translated(errors.NotFound):
            os.link(self._folder / DATA, path)
        try:
            return LinkedUpload(path, self._whole.copy() if self._whole else None)
        except BaseException:
            disk.discard(path)
            raise

    def mark_as_job(self, now: float) -> None:
        self._record(self.state.with_job(now))
        disk.discard(self._folder / DATA)

    def close(self) -> None:
        """The lock goes with its descriptor."""
        journal_fd, self._journal_fd = self._journal_fd, -1
        self.data.close()
        disk.close(journal_fd)

    def _record(self, state: UploadState) -> None:
        """A line whose sync failed is taken back, or the next reader would tell of it."""
        line = state.to_line().encode()
        with translated(errors.NotFound):
            self._newest_wish_ns()
            try:
                os.lseek(self._journal_fd, self._journal_bytes, os.SEEK_SET)
                write_all(self._journal_fd, line)
                sync_data(self._journal_fd)
            except OSError:
                os.ftruncate(self._journal_fd, self._journal_bytes)
                raise
        self._journal_bytes += len(line)
        self.state = state

    def _newest_wish_ns(self) -> int:
        return (self._folder / TICKET).stat().st_mtime_ns


class FileUploads:
    """Safe for many processes on one file system. ``root`` is the store's: bytes move between the two without being copied."""

    def __init__(self, root: Path) -> None:
        self._uploads, self._incoming, self._trash = root / "uploads", root / "incoming", root / "trash"

    def prepare(self) -> None:
        """Make the folder, synced; ``FileStore.prepare`` comes first."""
        with translated():
            self._uploads.mkdir(exist_ok=True, mode=0o700)
            sync_folder(self._uploads.parent)

    def create(self, info: UploadInfo, state: UploadState, parts: Sequence[str] = ()) -> bool:
        staged, folder = self._incoming / f"{secrets.token_hex(16)}.upload", self._uploads / info.id
        with translated(errors.NotFound):
            try:
                self._stage(staged, info, state, parts)
                is_new = _published(staged, folder)
            except BaseException:
                remove(staged)
                raise
            try:
                sync_folder(self._uploads)  # also what somebody else has just published: it is about to be told of
            except BaseException:
                if is_new:
                    remove(folder)
                raise
        return is_new

    def _stage(self, staged: Path, info: UploadInfo, state: UploadState, parts: Sequence[str]) -> None:
        staged.mkdir(mode=0o700)
        self._assemble(staged / DATA, state.offset_bytes, parts)
        write_file(staged / TICKET, info.to_json(), sync=True)
        write_file(staged / JOURNAL, state.to_line(), sync=True)
        sync_folder(staged)

    def _assemble(self, path: Path, size_bytes: int, parts: Sequence[str]) -> None:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as data:
            for part in parts:
                with (self._uploads / part / DATA).open("rb") as source:
                    shutil.copyfileobj(source, data, COPY_BYTES)
            if data.tell() != size_bytes:
                raise FileNotFoundError(errno.ENOENT, "a part is not whole")
            data.flush()
            sync_data(data.fileno())

    def find(self, upload_id: str) -> tuple[UploadInfo, UploadState]:
        folder = self._uploads / upload_id
        with translated(errors.NotFound):
            info = UploadInfo.from_json((folder / TICKET).read_bytes())
            fd = os.open(folder / JOURNAL, os.O_RDONLY | os.O_CLOEXEC)
            try:
                return info, _last_line(fd)[0]
            finally:
                disk.close(fd)

    def open(self, upload_id: str) -> FileUploadWriter | None:
        folder = self._uploads / upload_id
        with translated(errors.NotFound):
            fd = os.open(folder / JOURNAL, os.O_RDWR | os.O_CLOEXEC)
            try:
                writer = FileUploadWriter(folder, self._incoming, fd) if _lock(fd) else None
            except BaseException:
                disk.close(fd)
                raise
        if writer is None:
            disk.close(fd)
            return None
        try:
            writer.begin()
        except BaseException:
            writer.close()
            raise
        return writer

    def request_takeover(self, upload_id: str) -> None:
        with translated(errors.NotFound):
            os.utime(self._uploads / upload_id / TICKET)

    def erase(self, upload_id: str) -> int:
        """The folder leaves by one rename, so a kill in the midst leaves only trash for ``FileStore.tidy``."""
        doomed = self._trash / secrets.token_hex(16)
        with translated():
            try:
                (self._uploads / upload_id).rename(doomed)
            except FileNotFoundError:
                return 0
            sync_folder(self._uploads)
        return remove(doomed)

    def all(self) -> Iterator[tuple[UploadInfo, UploadState]]:
        with translated():
            names = sorted(each.name for each in self._uploads.iterdir() if each.is_dir())
        for name in names:
            try:
                yield self.find(name)
            except errors.NotFound:
                continue
            except (errors.GatewayError, ValueError, TypeError, KeyError) as error:
                log.warning("the upload %s cannot be read: %r", name, error)


def _published(staged: Path, folder: Path) -> bool:
    """False where another was quicker; what was staged is gone then."""
    try:
        staged.rename(folder)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        remove(staged)
        return False
    return True


def _lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _last_line(fd: int) -> tuple[UploadState, int]:
    """The last whole line and where it ends: a crash may leave a torn one, or zeros, after it."""
    start = max(0, os.fstat(fd).st_size - TAIL_BYTES)
    lines = os.pread(fd, TAIL_BYTES, start).splitlines(keepends=True)
    end = start + sum(map(len, lines))
    for line in reversed(lines[1:] if start else lines):
        state = UploadState.from_line(line.decode("ascii", "replace"))
        if state is not None:
            return state, end
        end -= len(line)
    raise errors.BackendUnavailable(part="store", retry_after_s=5, private="an upload's journal has no whole line")
