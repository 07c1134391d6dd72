"""Uploads in the store's ``incoming`` folder: bytes that are received, a source that is there already, a resumable upload that is complete."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from backend import errors
from backend.adapters.files import disk
from backend.adapters.files.append_file import AppendFile
from backend.adapters.files.disk import translate_errors
from backend.core.image_headers import ReadAt

T = TypeVar("T")
READ_BYTES = 1 << 20


class FileUpload(AppendFile):
    """A file whose SHA-256 is computed while it grows."""

    def __init__(self, path: Path, fd: int, size_bytes: int = 0, known: hashlib._Hash | None = None) -> None:
        """Owns ``fd``. ``known`` is the checksum of the ``size_bytes`` that are in the file."""
        self.path = path
        self._hash = known or hashlib.sha256()
        super().__init__(fd, size_bytes, [self._hash.update])

    @classmethod
    def create(cls, path: Path) -> FileUpload:
        with translate_errors():
            return cls(path, os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))

    def sha256(self) -> str:
        self.catch_up()
        return self._hash.hexdigest()

    def inspect(self, look: Callable[[ReadAt, int], T]) -> T:
        with translate_errors():
            return look(lambda offset, length: os.pread(self.fd, length, offset), self.size_bytes)

    def discard(self) -> None:
        self.close()
        disk.discard(self.path)


class ReusedUpload(FileUpload):
    """A second link to the source of an earlier job: nothing is copied, and nothing is hashed again."""

    def __init__(self, path: Path, source: Path, sha256: str) -> None:
        """Raises ``NotFound`` when there is no file ``source``."""
        with translate_errors(errors.NotFound):
            os.link(source, path)
            fd = -1
            try:
                fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                super().__init__(path, fd, os.fstat(fd).st_size)
            except OSError:
                disk.close(fd)
                disk.discard(path)
                raise
        self._sha256 = sha256

    def sha256(self) -> str:
        return self._sha256


class CompleteUpload(FileUpload):
    """A file that has all its bytes already. They are read for their checksum unless it is ``known``."""

    def __init__(self, path: Path, known: hashlib._Hash | None) -> None:
        sha256 = known or hashlib.sha256()
        with translate_errors():
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                os.utime(path)
                while known is None and (chunk := os.read(fd, READ_BYTES)):
                    sha256.update(chunk)
                super().__init__(path, fd, os.fstat(fd).st_size, sha256)
            except OSError:
                disk.close(fd)
                raise
