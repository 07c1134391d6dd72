"""The journal of a resumable upload: one line a step (``UploadState``), of which the last whole one counts.

Its file is also the upload's lock, by flock(2). That belongs to the open file: it excludes other processes and other requests of this one, and is
released when the process dies.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from backend import errors
from backend.adapters.files import disk
from backend.adapters.files.disk import sync_data, write_all
from backend.core.resumable import UploadState

JOURNAL = "journal"
TAIL_BYTES = 4096
"""The last lines of a journal; one is under 80 bytes."""


class UploadJournal:
    """All methods raise ``OSError``."""

    def __init__(self, fd: int) -> None:
        """Owns ``fd``, once this returns."""
        self._fd = fd
        self.state, self._end_bytes = _last_line(fd)

    def cut_off_rest(self) -> None:
        """Delete what a crash left after the last whole line."""
        os.ftruncate(self._fd, self._end_bytes)

    def append(self, state: UploadState) -> None:
        """Synced. A line whose sync failed is deleted again, or the next reader would report it."""
        line = state.to_line().encode()
        try:
            os.lseek(self._fd, self._end_bytes, os.SEEK_SET)
            write_all(self._fd, line)
            sync_data(self._fd)
        except OSError:
            os.ftruncate(self._fd, self._end_bytes)
            raise
        self._end_bytes += len(line)
        self.state = state

    def close(self) -> None:
        """Releases the lock."""
        fd, self._fd = self._fd, -1
        disk.close(fd)


def open_locked(folder: Path) -> UploadJournal | None:
    """None while somebody else has it locked. Raises ``OSError``."""
    fd = os.open(folder / JOURNAL, os.O_RDWR | os.O_CLOEXEC)
    try:
        if _lock(fd):
            return UploadJournal(fd)
    except BaseException:
        disk.close(fd)
        raise
    disk.close(fd)
    return None


def read_state(folder: Path) -> UploadState:
    """Works without the lock. Raises ``OSError``."""
    fd = os.open(folder / JOURNAL, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _last_line(fd)[0]
    finally:
        disk.close(fd)


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
