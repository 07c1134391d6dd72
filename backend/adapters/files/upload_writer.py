"""One resumable upload while it is locked by this process."""

from __future__ import annotations

import os
from pathlib import Path

from backend import errors
from backend.adapters.files import disk
from backend.adapters.files.disk import sync_data, translate_errors
from backend.adapters.files.upload import CompleteUpload, UploadData
from backend.adapters.files.upload_journal import UploadJournal
from backend.core.resumable import UploadInfo, UploadState

TICKET, DATA = "ticket.json", "data"


class FileUploadWriter(UploadData):
    """Use it from one thread at a time, but for two: ``is_takeover_requested`` may run at any time, and one ``save`` beside anything of ``data``."""

    def __init__(self, folder: Path, incoming: Path, journal: UploadJournal) -> None:
        """Owns ``journal``, once this returns. Raises ``OSError``."""
        self._folder, self._incoming, self._journal = folder, incoming, journal
        self._newest_request_ns = self._takeover_request_ns()
        self.info = UploadInfo.from_json((folder / TICKET).read_bytes())
        super().__init__(self.state.offset_bytes)

    def open_data(self) -> None:
        """Comes first. Cuts off what a killed writer left after the last save."""
        with translate_errors(errors.NotFound):
            self._journal.cut_off_rest()
            if not self.state.has_job:
                self.data.fd = os.open(self._folder / DATA, os.O_RDWR | os.O_CLOEXEC)
                self.discard_unsaved()

    @property
    def state(self) -> UploadState:
        return self._journal.state

    def read_head(self, length: int) -> bytes:
        with translate_errors():
            return os.pread(self.data.fd, length, 0)

    def save(self, now: float) -> None:
        end_bytes = self.position_bytes  # what is written while the disk is busy counts the next time
        if end_bytes == self.state.offset_bytes:
            return
        with translate_errors():
            sync_data(self.data.fd)
        self._record(self.state.with_offset(end_bytes, now))

    def checkpoint(self, now: float) -> None:
        self.save(now)

    def discard_unsaved(self) -> None:
        self._restart_at(self.state.offset_bytes)

    def set_length(self, length_bytes: int, now: float) -> None:
        self._record(self.state.with_length(length_bytes, now))

    def is_takeover_requested(self) -> bool:
        try:
            with translate_errors(errors.NotFound):
                return self._takeover_request_ns() != self._newest_request_ns
        except errors.NotFound:
            return True

    def create_upload(self) -> CompleteUpload:
        return self._link_complete(self._folder / DATA, self._incoming)

    def mark_as_job(self, now: float) -> None:
        self._record(self.state.with_job(now))
        disk.discard(self._folder / DATA)

    def close(self) -> None:
        self.data.close()
        self._journal.close()

    def _record(self, state: UploadState) -> None:
        """Raises ``NotFound`` where the upload was erased: the journal's file is open and would still take the line."""
        with translate_errors(errors.NotFound):
            self._takeover_request_ns()
            self._journal.append(state)

    def _takeover_request_ns(self) -> int:
        """When somebody last asked for the upload. Raises ``OSError`` where it was erased."""
        return (self._folder / TICKET).stat().st_mtime_ns
