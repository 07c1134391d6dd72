"""Disk access as the adapters need it: complete writes, syncs that fail loudly, and every ``OSError`` translated.

``posix.close`` is ``os.close`` before gevent replaced it, which asks two things of the kernel first: no loop waits for a file.

A failed sync is a failed write. The descriptor is never tried again: fsync(2) may report an error once and then forget it.
"""

from __future__ import annotations

import errno
import logging
import os
import posix
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from backend import errors

log = logging.getLogger(__name__)
FULL = {errno.ENOSPC, errno.EDQUOT}
SPAN_BYTES = 256 << 10
IOV_MAX = 64
"""Chunks that are written at once; POSIX grants 16, Linux and macOS 1024."""


@contextmanager
def translate_errors(missing: type[errors.GatewayError] | None = None) -> Iterator[None]:
    """Turn an ``OSError`` into ``StorageFull`` for a full disk, ``missing`` for a missing file, else ``BackendUnavailable``."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise errors.StorageFull(private=str(error)) from error
        if missing and error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise missing(private=str(error)) from error
        raise errors.BackendUnavailable(part="store", retry_after_s=5, private=repr(error)) from error


def write_all(fd: int, *chunks: bytes | memoryview) -> None:
    """Several in one call: each call in a thread lets the loop run, and waits for it."""
    views = [memoryview(each) for each in chunks if each]
    while views:
        count = os.write(fd, views[0]) if len(views) == 1 else os.writev(fd, views[:IOV_MAX])
        while views and count >= len(views[0]):
            count -= len(views.pop(0))
        if views:
            views[0] = views[0][count:]


def spans(fd: int, begin_bytes: int, end_bytes: Callable[[], int]) -> Iterator[memoryview]:
    """The file's content from ``begin_bytes`` on. ``end_bytes`` is called before each span, since the file may grow.

    Each span overwrites the one before it.
    """
    buffer = memoryview(b"")
    while (left := end_bytes() - begin_bytes) > 0:
        buffer = buffer or memoryview(bytearray(SPAN_BYTES))
        count = os.preadv(fd, [buffer[: min(left, SPAN_BYTES)]], begin_bytes)
        if not count:
            raise OSError(errno.EIO, "a file is shorter than what was written to it")
        begin_bytes += count
        yield buffer[:count]


def write_file(path: Path, text: str, *, sync: bool) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        write_all(fd, text.encode())
        if sync:
            sync_data(fd)
    finally:
        posix.close(fd)


def sync_data(fd: int) -> None:
    getattr(os, "fdatasync", os.fsync)(fd)


def sync_folder(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        posix.close(fd)


def age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def remove(path: Path) -> int:
    """Delete a file or a folder and return the bytes freed. What cannot be deleted stays; another process may be deleting it too."""
    if not os.path.isdir(path):  # where the disk cannot even say, unlinking fails and is logged
        return _unlink(str(path))
    freed = 0
    for folder, _, files in os.walk(path, topdown=False):
        freed += sum(_unlink(os.path.join(folder, name)) for name in files)
        try:
            os.rmdir(folder)
        except OSError as error:
            _log_failure(folder, error)
    return freed


def _unlink(path: str) -> int:
    """Return the bytes freed: 0 where the file has another link."""
    try:
        known = os.stat(path)
        os.unlink(path)
    except OSError as error:
        _log_failure(path, error)
        return 0
    return known.st_size if known.st_nlink == 1 else 0


def _log_failure(path: str, error: OSError) -> None:
    if error.errno != errno.ENOENT:
        log.warning("%s could not be deleted: %r", path, error)


def discard(path: Path) -> None:
    """Delete a file, if that is possible now. Never raises: ``clean_up`` deletes later what stays."""
    _unlink(str(path))


def close(fd: int) -> None:
    """Close the descriptor of a file that is synced, or whose bytes no longer matter: an error of close(2) says nothing then. -1 is ignored."""
    if fd >= 0:
        try:
            posix.close(fd)
        except OSError as error:
            log.warning("a descriptor was closed with %r", error)
