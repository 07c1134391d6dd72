"""A file that grows at its end, with checksums of its bytes in order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from backend.adapters.files import disk
from backend.adapters.files.disk import translate_errors, write_all
from backend.adapters.files.splice import splice
from backend.adapters.files.write_back import WriteBack

READ_BYTES = 256 << 10
"""Up to so much is read from a socket at once; more is spliced. A pipe, and a thread that computes the checksums, are not worth it for less."""
Update = Callable[[bytes | memoryview], object]


class AppendFile:
    """``checksums`` (hashlib's ``update`` methods) get each byte once, in order. Without any, nothing is read again.

    Use it from one thread at a time, but for two pairs that may run together: ``append`` and ``update_checksums`` of one chunk, and ``catch_up``
    beside ``receive_from_fd``. All methods raise ``StorageFull`` and ``BackendUnavailable``.
    """

    def __init__(self, fd: int, size_bytes: int, checksums: Sequence[Update]) -> None:
        """Owns ``fd``, whose offset is at ``size_bytes``."""
        self.fd = fd
        self._restart_at(size_bytes, checksums)

    def write(self, chunk: bytes) -> None:
        self.catch_up()
        self.append(chunk)
        self.update_checksums(chunk)

    def append(self, *chunks: bytes | memoryview) -> None:
        """The half of ``write`` that waits for the disk."""
        with translate_errors():
            write_all(self.fd, *chunks)
            self.size_bytes += sum(map(len, chunks))
            self._write_back.grew(self.fd, self.size_bytes)

    def update_checksums(self, chunk: bytes | memoryview) -> None:
        """The half of ``write`` that computes."""
        for update in self.checksums:
            update(chunk)
        self._summed_bytes += len(chunk)

    def receive_from_fd(self, source_fd: int, most_bytes: int) -> int:
        """As ``ports.Upload.receive_from_fd``. The checksums of what is spliced lag behind until ``catch_up``."""
        if most_bytes <= READ_BYTES:
            return self._read_from_fd(source_fd, most_bytes)
        begun_bytes = self.size_bytes
        with translate_errors():
            for count in splice(source_fd, self.fd, most_bytes):
                self.size_bytes += count
                self._write_back.grew(self.fd, self.size_bytes)
        return self.size_bytes - begun_bytes

    def _read_from_fd(self, source_fd: int, most_bytes: int) -> int:
        self.catch_up()
        with _buffer() as buffer, memoryview(buffer) as view:
            count = _read(source_fd, view[:most_bytes])
            if count:
                self.append(view[:count])
                self.update_checksums(view[:count])
            return count

    def truncate(self, size_bytes: int, checksums: Sequence[Update]) -> None:
        """Cut off what lies beyond ``size_bytes``. ``checksums`` get what is written from now on."""
        with translate_errors():
            os.ftruncate(self.fd, size_bytes)
            os.lseek(self.fd, size_bytes, os.SEEK_SET)
        self._restart_at(size_bytes, checksums)

    def _restart_at(self, size_bytes: int, checksums: Sequence[Update]) -> None:
        self.size_bytes = self._summed_bytes = size_bytes
        self.checksums = list(checksums)
        self._write_back = WriteBack(size_bytes)

    def catch_up(self) -> None:
        """Read what was spliced and update the checksums, to the end of the file as it is when that is reached."""
        if not self.checksums:
            self._summed_bytes = self.size_bytes
            return
        with translate_errors():
            for span in disk.spans(self.fd, self._summed_bytes, lambda: self.size_bytes):
                self.update_checksums(span)

    def close(self) -> None:
        fd, self.fd = self.fd, -1
        disk.close(fd)


def _read(fd: int, buffer: memoryview) -> int:
    """What a non-blocking socket has now. 0 for its end or an error too; whoever reads the socket next sees which."""
    try:
        return os.readv(fd, [buffer])
    except OSError:
        return 0


_buffers: list[bytearray] = []
"""As many as threads ever read at the same time. A new one for each read doubles its time: the kernel has to find and clear 64 pages."""


@contextmanager
def _buffer() -> Iterator[bytearray]:
    buffer = _buffers.pop() if _buffers else bytearray(READ_BYTES)
    try:
        yield buffer
    finally:
        _buffers.append(buffer)
