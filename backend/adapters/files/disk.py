"""Disk access as the adapters need it: whole writes, syncs that fail loudly, and no ``OSError`` that gets out untranslated.

A failed sync is a failed write; the descriptor is never tried again (fsync(2) may report an error once and then forget it).
"""

from __future__ import annotations

import ctypes
import errno
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from backend import errors

log = logging.getLogger(__name__)
FULL = {errno.ENOSPC, errno.EDQUOT}
WRITE_BACK_BYTES = 4 << 20
"""The disk begins to write when so much is waiting for it: the sync at the end then finds little left to do."""
SLOW_WRITE_BACK_BYTES = 1 << 20
"""The same for what comes slowly: hundreds of such files together are to hold little in the system's cache."""
SLOW_BYTES_PER_S = 16 << 20
"""Below, the disk gives a file back more quickly than it came."""
SYNC_FILE_RANGE_WRITE = 2
SPAN_BYTES = 256 << 10
UNSUPPORTED = {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ESPIPE, errno.EPERM}


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


def write_all(fd: int, data: bytes | memoryview) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def spans(fd: int, begin_bytes: int, end_bytes: Callable[[], int]) -> Iterator[memoryview]:
    """What the file holds from ``begin_bytes`` on; ``end_bytes`` is asked again and again, for it may grow. Each span is overwritten by the next."""
    room = memoryview(b"")
    while (left := end_bytes() - begin_bytes) > 0:
        room = room or memoryview(bytearray(SPAN_BYTES))
        count = os.preadv(fd, [room[: min(left, SPAN_BYTES)]], begin_bytes)
        if not count:
            raise OSError(errno.EIO, "a file is shorter than what was written to it")
        begin_bytes += count
        yield room[:count]


class WriteBack:
    """Lets the disk begin while a file's bytes still arrive. It promises nothing: the sync at the end does. Linux alone has the call.

    What came slowly and is on the disk leaves the system's cache: hundreds of slow uploads hold some megabytes each there, and not all they bring.
    """

    def __init__(self, begin_bytes: int = 0) -> None:
        self._begun_bytes = self._cached_from_bytes = begin_bytes
        self._begun_s = time.monotonic()

    def wrote(self, fd: int, end_bytes: int) -> None:
        """The file is ``end_bytes`` long by now. What the disk refuses is raised as of any write."""
        size_bytes = end_bytes - self._begun_bytes
        if size_bytes < SLOW_WRITE_BACK_BYTES or _sync_file_range is None:
            return
        now = time.monotonic()
        is_slow = size_bytes < SLOW_BYTES_PER_S * (now - self._begun_s)
        if is_slow or size_bytes >= WRITE_BACK_BYTES:
            if _sync_file_range(fd, self._begun_bytes, size_bytes, SYNC_FILE_RANGE_WRITE) and (number := ctypes.get_errno()) not in UNSUPPORTED:
                raise OSError(number, os.strerror(number))
            if is_slow:
                self._forget(fd)
            self._begun_bytes, self._begun_s = end_bytes, now

    def _forget(self, fd: int) -> None:
        """What the disk began to write before this time; what it has not written yet stays. It is advice: no upload fails for it."""
        if self._begun_bytes > self._cached_from_bytes:
            with suppress(OSError):
                os.posix_fadvise(fd, self._cached_from_bytes, self._begun_bytes - self._cached_from_bytes, os.POSIX_FADV_DONTNEED)
            self._cached_from_bytes = self._begun_bytes


def _found_sync_file_range() -> Callable[[int, int, int, int], int] | None:
    """sync_file_range(2), which Python's ``os`` does not have. ctypes lets other threads run meanwhile."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "sync_file_range", None) if sys.platform == "linux" else None
    if call is not None:
        call.argtypes, call.restype = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint), ctypes.c_int
    return call


_sync_file_range = _found_sync_file_range()


def write_file(path: Path, text: str, *, sync: bool) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        write_all(fd, text.encode())
        if sync:
            sync_data(fd)
    finally:
        os.close(fd)


def sync_data(fd: int) -> None:
    getattr(os, "fdatasync", os.fsync)(fd)


def sync_folder(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def remove(path: Path) -> int:
    """Delete a file or folder; the bytes that the disk got back. What cannot be deleted stays for the next time; others may be deleting it too."""
    if not os.path.isdir(path):  # where the disk cannot even say, unlinking fails and is noted
        return _unlinked(str(path))
    freed = 0
    for folder, _, files in os.walk(path, topdown=False):
        freed += sum(_unlinked(os.path.join(folder, name)) for name in files)
        try:
            os.rmdir(folder)
        except OSError as error:
            _note(folder, error)
    return freed


def _unlinked(path: str) -> int:
    """Bytes that have another name stay."""
    try:
        known = os.stat(path)
        os.unlink(path)
    except OSError as error:
        _note(path, error)
        return 0
    return known.st_size if known.st_nlink == 1 else 0


def _note(path: str, error: OSError) -> None:
    if error.errno != errno.ENOENT:
        log.warning("%s could not be deleted: %r", path, error)


def discard(path: Path) -> None:
    """Delete what nobody will miss. It never fails: where the disk does, ``tidy`` comes by later."""
    _unlinked(str(path))


def close(fd: int) -> None:
    """Of a file whose bytes no longer matter, or are synced: an error of close(2) tells nothing then, and the descriptor is gone all the same."""
    if fd >= 0:
        try:
            os.close(fd)
        except OSError as error:
            log.warning("a descriptor was closed with %r", error)
