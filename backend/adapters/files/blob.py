"""Stored bytes, open for reading."""

from __future__ import annotations

import os
from pathlib import Path

from backend.adapters.files import disk
from backend.adapters.files.disk import translate_errors


class FileBlob:
    def __init__(self, path: Path) -> None:
        """Raises ``OSError``."""
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.size_bytes = os.fstat(self._fd).st_size
        except OSError:
            self.close()
            raise

    def read_at(self, offset: int, length: int) -> bytes:
        with translate_errors():
            return os.pread(self._fd, length, offset)

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        disk.close(fd)
