"""One resumable upload while this process writes to it. Others may do the same at the same time: the first to save counts.

What comes is written to a file of this machine's spool first. ``save`` puts what is new there as one piece, and then replaces the record. A writer
that finds the record replaced by another goes on behind the other's bytes, where its own are the same: so a client that reconnects, on another
machine too, loses nothing to the request that broke. Where they differ, it raises ``OffsetMismatch``, and none of its bytes count.

An upload that came in one request is not put twice: what the last ``save`` brings goes straight into the job, and is only put as a piece by ``close``
where no job was made.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from io import BufferedReader, RawIOBase

from backend import errors
from backend.adapters.files import disk
from backend.adapters.files.disk import translate_errors
from backend.adapters.files.upload import CompleteUpload, UploadData
from backend.adapters.s3.upload_objects import Stored, UploadObjects
from backend.adapters.s3.upload_record import Piece, UploadRecord
from backend.core.resumable import UploadInfo, UploadState

log = logging.getLogger(__name__)
TRIES = 10
"""Each time another writer has got further, so it takes many of them at once to lose as often."""
LOOK_EVERY_S = 5.0
"""So often a writer whose client is silent asks whether another has gone on."""


class S3UploadWriter(UploadData):
    """Use it from one thread at a time, but for two: ``is_takeover_requested`` may run at any time, and one ``save`` beside anything of ``data``."""

    def __init__(self, objects: UploadObjects, stored: Stored) -> None:
        super().__init__(stored.record.state.offset_bytes)
        self._objects, self._stored = objects, stored
        self._deferred: UploadState | None = None
        """The complete upload, of which no byte is in the bucket yet."""
        self._path = objects.new_spool_path()
        self._local_from_bytes = self.state.offset_bytes
        """What comes before is in the bucket alone."""
        self._looked_s = time.monotonic()

    def open_data(self) -> None:
        """Comes first. The file has a hole where the bytes lie that are in the bucket."""
        if not self.state.has_job:
            with translate_errors():
                self.data.fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self.discard_unsaved()

    @property
    def info(self) -> UploadInfo:
        return self._stored.record.info

    @property
    def state(self) -> UploadState:
        return self._deferred or self._stored.record.state

    def read_head(self, length: int) -> bytes:
        self._fetch(0, min(length, self._local_from_bytes))
        with translate_errors():
            return os.pread(self.data.fd, min(length, self.position_bytes), 0)

    def save(self, now: float) -> None:
        end_bytes = self.position_bytes  # what is written while the service is busy counts the next time
        if end_bytes == self.state.length_bytes and self.state.offset_bytes == 0 and not self.info.is_partial:
            self._deferred = self.state.with_offset(end_bytes, now)
        else:
            self._save(end_bytes, now)

    def _save(self, end_bytes: int, now: float) -> None:
        for _ in range(TRIES):
            if end_bytes == self.state.offset_bytes or self._append(end_bytes, now):
                return
            self._follow(end_bytes)
        raise errors.OffsetMismatch(offset=self.state.offset_bytes)

    def checkpoint(self, now: float) -> None:
        self.save(now)

    def discard_unsaved(self) -> None:
        self._deferred = None
        self._restart_at(self.state.offset_bytes)

    def set_length(self, length_bytes: int, now: float) -> None:
        def with_length(state: UploadState) -> UploadState:
            if state.length_bytes not in (None, length_bytes):
                raise errors.OffsetMismatch(offset=state.offset_bytes)
            return state.with_length(length_bytes, now)

        self._change(with_length)

    def is_takeover_requested(self) -> bool:
        """Whether another has got further than this writer, or has erased the upload."""
        if time.monotonic() - self._looked_s < LOOK_EVERY_S:
            return False
        self._looked_s = time.monotonic()
        try:
            found = self._objects.load_record(self.info.id).record
        except errors.NotFound:
            return True
        return found.info != self.info or found.state.has_job or found.state.offset_bytes > self.position_bytes

    def create_upload(self) -> CompleteUpload:
        self._objects.spool.check()
        try:
            self._fetch(0, self._local_from_bytes)
        except errors.NotFound:
            self._objects.load_record(self.info.id)
            raise errors.Locked("locked", retry_after_s=1) from None
        self._local_from_bytes = 0
        return self._link_complete(self._path, self._path.parent)

    def mark_as_job(self, now: float) -> None:
        self._change(lambda state: state if state.has_job else (self._deferred or state).with_job(now))
        self._deferred = None
        self._objects.delete_all_pieces(self.info.id)

    def close(self) -> None:
        try:
            if self._deferred is not None:
                deferred, self._deferred = self._deferred, None
                self._save(deferred.offset_bytes, deferred.touched_at)
        except errors.NotFound:
            log.info("the upload %s was erased meanwhile", self.info.id)
        finally:
            self.data.close()
            disk.discard(self._path)

    def _append(self, end_bytes: int, now: float) -> bool:
        """Put what is new, and count it. False where another writer was faster."""
        piece, begin_bytes = self._put_piece(end_bytes)
        before, record = self._stored.record, self._stored.record.with_piece(piece, begin_bytes, now)
        try:
            stored = self._objects.replace_record(self._stored, record)
        except errors.NotFound:
            self._objects.delete_pieces(self.info.id, [piece])
            raise
        self._objects.delete_pieces(self.info.id, before.dropped(record) if stored else [piece])
        self._stored = stored or self._stored
        return stored is not None

    def _put_piece(self, end_bytes: int) -> tuple[Piece, int]:
        """With the small pieces before it. Also where the piece begins."""
        begin_bytes = self._stored.record.merge_from(end_bytes - self.state.offset_bytes)
        try:
            self._fetch(begin_bytes, self._local_from_bytes)
            self._local_from_bytes = min(begin_bytes, self._local_from_bytes)
        except errors.NotFound:
            begin_bytes = self.state.offset_bytes
        with BufferedReader(_FileRange(self.data.fd, begin_bytes, end_bytes)) as file:
            return self._objects.put_piece(self.info.id, file, end_bytes - begin_bytes), begin_bytes

    def _follow(self, end_bytes: int) -> None:
        """Go on from where another writer is, whose bytes are the same. Raises ``OffsetMismatch`` where they are not, and ``NotFound``."""
        found = self._objects.load_record(self.info.id)
        offset_bytes = found.record.state.offset_bytes
        if found.record.info != self.info:
            raise errors.NotFound(private=f"upload {self.info.id} was erased and made anew")
        if offset_bytes > end_bytes or not _has_bytes(self.data.fd, self.state.offset_bytes, self._objects, found.record):
            raise errors.OffsetMismatch(offset=offset_bytes)
        self._stored = found

    def _change(self, change: Callable[[UploadState], UploadState]) -> None:
        """Replace the state by what ``change`` makes of it, also where others change the record meanwhile."""
        for _ in range(TRIES):
            stored = self._objects.replace_record(self._stored, self._stored.record.with_state(change(self._stored.record.state)))
            if stored is not None:
                self._stored = stored
                return
            self._stored = self._objects.load_record(self.info.id)
        raise errors.Locked("locked", retry_after_s=1)

    def _fetch(self, begin_bytes: int, end_bytes: int) -> None:
        """Read from the bucket into the file. Raises ``NotFound`` where a piece is gone."""
        with translate_errors():
            for chunk in self._objects.read_bytes(self._stored.record, begin_bytes, end_bytes):
                begin_bytes += os.pwrite(self.data.fd, chunk, begin_bytes)


def _has_bytes(fd: int, at_bytes: int, objects: UploadObjects, other: UploadRecord) -> bool:
    """Whether what ``other`` has from ``at_bytes`` on is what the file has there too."""
    try:
        for chunk in objects.read_bytes(other, at_bytes, other.state.offset_bytes):
            if os.pread(fd, len(chunk), at_bytes) != chunk:
                return False
            at_bytes += len(chunk)
    except errors.NotFound:
        return False
    return at_bytes == other.state.offset_bytes


class _FileRange(RawIOBase):
    """A part of a file, for boto3, without a position shared with whoever writes to the file."""

    def __init__(self, fd: int, begin_bytes: int, end_bytes: int) -> None:
        super().__init__()
        self._fd, self._begin_bytes, self._size_bytes, self._at_bytes = fd, begin_bytes, end_bytes - begin_bytes, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at_bytes

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at_bytes = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at_bytes, os.SEEK_END: self._size_bytes}[whence]
        return self._at_bytes

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        view = memoryview(buffer)[: max(0, self._size_bytes - self._at_bytes)]
        count = os.preadv(self._fd, [view], self._begin_bytes + self._at_bytes) if view else 0
        self._at_bytes += count
        return count
