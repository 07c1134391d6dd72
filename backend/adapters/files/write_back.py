"""Let the disk begin to write while a file's bytes still arrive, so that the sync at the end finds little left to do.

What came slowly and is on the disk leaves the system's page cache. Without that, 200 slow uploads of 60 MB held 1.6 GB of it, and 0.5 GB with it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress

WRITE_BACK_BYTES = 4 << 20
"""The disk begins when so much is waiting for it."""
SLOW_WRITE_BACK_BYTES = 1 << 20
"""The same for what comes slowly: hundreds of such files together are to hold little in the page cache."""
SLOW_BYTES_PER_S = 16 << 20
"""A sender below this rate is slow; the disk writes faster."""
SYNC_FILE_RANGE_WRITE = 2
UNSUPPORTED = {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ESPIPE, errno.EPERM}


class WriteBack:
    """For one file that grows. It makes nothing durable: the sync at the end does. Does nothing where the system is not Linux."""

    def __init__(self, begin_bytes: int = 0) -> None:
        self._begun_bytes = self._cached_from_bytes = begin_bytes
        self._begun_s = time.monotonic()

    def grew(self, fd: int, end_bytes: int) -> None:
        """Tell that the file is ``end_bytes`` long now. Raises ``OSError`` when the disk refuses what was written, as any write does."""
        size_bytes = end_bytes - self._begun_bytes
        if size_bytes < SLOW_WRITE_BACK_BYTES or _sync_file_range is None:
            return
        now = time.monotonic()
        is_slow = size_bytes < SLOW_BYTES_PER_S * (now - self._begun_s)
        if is_slow or size_bytes >= WRITE_BACK_BYTES:
            if _sync_file_range(fd, self._begun_bytes, size_bytes, SYNC_FILE_RANGE_WRITE) and (number := ctypes.get_errno()) not in UNSUPPORTED:
                raise OSError(number, os.strerror(number))
            if is_slow:
                self._drop_from_cache(fd)
            self._begun_bytes, self._begun_s = end_bytes, now

    def _drop_from_cache(self, fd: int) -> None:
        """Drop what the disk began to write in earlier calls; pages not written yet stay. It is advice to the kernel, so no upload fails for it."""
        if self._begun_bytes > self._cached_from_bytes:
            with suppress(OSError):
                os.posix_fadvise(fd, self._cached_from_bytes, self._begun_bytes - self._cached_from_bytes, os.POSIX_FADV_DONTNEED)
            self._cached_from_bytes = self._begun_bytes


def _find_sync_file_range() -> Callable[[int, int, int, int], int] | None:
    """sync_file_range(2), which Python's ``os`` does not have. ctypes lets other threads run meanwhile."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "sync_file_range", None) if sys.platform == "linux" else None
    if call is not None:
        call.argtypes, call.restype = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint), ctypes.c_int
    return call


_sync_file_range = _find_sync_file_range()
