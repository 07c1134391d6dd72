"""Resumable uploads as files, in the store's own folder: one folder an upload.

::

    store/
      uploads/<id>/
        ticket.json    what was announced; never changes. Its modification time is that of the newest takeover request
        journal        how far the upload is, and its lock (``upload_journal``)
        data           the bytes; what lies beyond the journal's offset does not count

Bytes are synced before the journal's line that counts them, and the line before anything is answered.

A complete upload becomes a job's source by a second link to the same file, which ``commit_job`` renames into the job. The first is removed when
the job is there. A kill in between leaves both links or the first, never none.
"""

from __future__ import annotations

import errno
import heapq
import logging
import os
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from backend import errors
from backend.adapters.files.disk import remove, sync_data, sync_folder, translate_errors, write_file
from backend.adapters.files.upload_journal import JOURNAL, open_locked, read_state
from backend.adapters.files.upload_writer import DATA, TICKET, FileUploadWriter
from backend.core.resumable import UploadInfo, UploadState
from backend.ports.resumable import Listed

log = logging.getLogger(__name__)
COPY_BYTES = 1 << 20


class FileUploads:
    """Safe for many processes on one file system. ``root`` is the store's: bytes move between the two without being copied."""

    def __init__(self, root: Path) -> None:
        self._uploads, self._incoming, self._trash = root / "uploads", root / "incoming", root / "trash"

    def prepare(self) -> None:
        with translate_errors():
            self._uploads.mkdir(exist_ok=True, mode=0o700)
            sync_folder(self._uploads.parent)

    def create(self, info: UploadInfo, state: UploadState, parts: Sequence[str] = ()) -> bool:
        staged, folder = self._incoming / f"{secrets.token_hex(16)}.upload", self._uploads / info.id
        with translate_errors(errors.NotFound):
            try:
                self._stage(staged, info, state, parts)
                is_new = _publish(staged, folder)
            except BaseException:
                remove(staged)
                raise
            try:
                sync_folder(self._uploads)  # also for an upload that another process has just published: it may not have synced yet
            except BaseException:
                if is_new:
                    remove(folder)
                raise
        return is_new

    def _stage(self, staged: Path, info: UploadInfo, state: UploadState, parts: Sequence[str]) -> None:
        staged.mkdir(mode=0o700)
        if not state.has_job:
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
                raise FileNotFoundError(errno.ENOENT, "a part is not complete")
            data.flush()
            sync_data(data.fileno())

    def find(self, upload_id: str) -> tuple[UploadInfo, UploadState]:
        folder = self._uploads / upload_id
        with translate_errors(errors.NotFound):
            return UploadInfo.from_json((folder / TICKET).read_bytes()), read_state(folder)

    def open(self, upload_id: str) -> FileUploadWriter | None:
        folder = self._uploads / upload_id
        with translate_errors(errors.NotFound):
            journal = open_locked(folder)
            if journal is None:
                return None
            try:
                writer = FileUploadWriter(folder, self._incoming, journal)
            except BaseException:
                journal.close()
                raise
        try:
            writer.open_data()
        except BaseException:
            writer.close()
            raise
        return writer

    def request_takeover(self, upload_id: str) -> None:
        with translate_errors(errors.NotFound):
            os.utime(self._uploads / upload_id / TICKET)

    def erase(self, upload_id: str) -> int:
        """The folder disappears by one rename; a kill after it leaves only trash, which ``FileStore.clean_up`` deletes."""
        doomed = self._trash / secrets.token_hex(16)
        with translate_errors():
            try:
                (self._uploads / upload_id).rename(doomed)
            except FileNotFoundError:
                return 0
            sync_folder(self._uploads)
        return remove(doomed)

    def page(self, after: str, most: int) -> list[Listed]:
        with translate_errors():
            names = heapq.nsmallest(most, (each.name for each in os.scandir(self._uploads) if each.name > after))
        return [Listed(name, version) for name in names if (version := _version(self._uploads / name))]


def _version(folder: Path) -> str | None:
    """The journal is only written at its end. None where it is gone, or none."""
    try:
        return str((folder / JOURNAL).stat().st_mtime_ns)
    except OSError as error:
        if error.errno != errno.ENOENT:
            log.warning("the upload %s cannot be read: %r", folder.name, error)
        return None


def _publish(staged: Path, folder: Path) -> bool:
    """False where another was quicker; what was staged is deleted then."""
    try:
        staged.rename(folder)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        remove(staged)
        return False
    return True
