"""Uploads in the store's ``incoming`` folder: bytes that are received, a source that is there already, a resumable upload, whole or on its way."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Sequence
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

    def write_hashed(self, chunks: Sequence[bytes], known: hashlib._Hash) -> None:
        """Write the first bytes, of which ``known`` is the checksum."""
        self.append(*chunks)
        self._hash, self.checksums, self._summed_bytes = known, [known.update], self.size_bytes

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


class UploadData:
    """The bytes of a resumable upload that a process writes: a file in which each stands at its place in the upload, and two checksums.

    The writers of all stores share it. Use it from one thread at a time.
    """

    def __init__(self, offset_bytes: int) -> None:
        self.data = AppendFile(-1, offset_bytes, [])
        self._checksum: hashlib._Hash | None = None
        self._sha256: hashlib._Hash | None = None
        """Of the whole upload, where all of it was written through this writer."""

    @property
    def position_bytes(self) -> int:
        return self.data.size_bytes

    def write(self, chunk: bytes) -> None:
        self.data.write(chunk)

    def receive_from_fd(self, source_fd: int, most_bytes: int) -> int:
        return self.data.receive_from_fd(source_fd, most_bytes)

    def start_checksum(self, algorithm: str) -> None:
        self.data.catch_up()
        self._checksum = hashlib.new(algorithm, usedforsecurity=False)
        self.data.checksums.append(self._checksum.update)

    def checksum(self) -> bytes:
        assert self._checksum is not None, "start_checksum comes first"
        self.data.catch_up()
        return self._checksum.digest()

    def _restart_at(self, offset_bytes: int) -> None:
        """Drop what lies beyond ``offset_bytes``."""
        self._checksum, self._sha256 = None, None if offset_bytes else hashlib.sha256()
        self.data.truncate(offset_bytes, [self._sha256.update] if self._sha256 else [])

    def _link_complete(self, source: Path, incoming: Path) -> CompleteUpload:
        """A second link to the whole upload, ``source``. Raises ``NotFound`` when it is not there."""
        self.data.catch_up()
        path = incoming / secrets.token_hex(16)
        with translate_errors(errors.NotFound):
            os.link(source, path)
        try:
            return CompleteUpload(path, self._sha256.copy() if self._sha256 else None)
        except BaseException:
            disk.discard(path)
            raise
