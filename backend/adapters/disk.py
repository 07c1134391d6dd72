"""Disk access as the adapters need it: whole writes, syncs that fail loudly, and no ``OSError`` that gets out untranslated.

A failed sync is a failed write; the descriptor is never tried again (fsync(2) may report an error once and then forget it).
"""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend import errors

log = logging.getLogger(__name__)
FULL = {errno.ENOSPC, errno.EDQUOT}


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


def write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


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
    if not path.is_dir():
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
