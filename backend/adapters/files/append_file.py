"""A file whose bytes arrive, by whichever way, and are summed up in their order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from backend.adapters.files import disk
from backend.adapters.files.disk import translated, write_all
from backend.adapters.files.splice import spliced

LITTLE_BYTES = 256 << 10
"""Not worth a pipe, nor a thread that follows."""
Sum = Callable[[bytes | memoryview], object]


class AppendFile:
    """``sums`` are updated with each byte once; without any, nothing is read again. Use from one thread at a time, but for the two halves of
    ``write``, and ``catch_up`` beside ``receive_from_fd``. Raises ``StorageFull``, ``BackendUnavailable``.
    """

    def __init__(self, fd: int, size_bytes: int, sums: Sequence[Sum]) -> None:
        """Takes ``fd``, which stands at ``size_bytes``."""
        self.fd = fd
        self._stand_at(size_bytes, sums)

    def write(self, chunk: bytes) -> None:
        self.catch_up()
        self.put(chunk)
        self.sum_up(chunk)

    def put(self, chunk: bytes | memoryview) -> None:
        """Half of ``write``; the other may run at the same time."""
        with translated():
            write_all(self.fd, chunk)
            self.size_bytes += len(chunk)
            self._write_back.wrote(self.fd, self.size_bytes)

    def sum_up(self, chunk: bytes | memoryview) -> None:
        for each in self.sums:
            each(chunk)
        self._summed_bytes += len(chunk)

    def receive_from_fd(self, source_fd: int, most_bytes: int) -> int:
        """As ``ports.Upload.receive_from_fd``. A little is summed up too."""
        if most_bytes <= LITTLE_BYTES:
            return self._pour_little(source_fd, most_bytes)
        begun_bytes = self.size_bytes
        with translated():
            for count in spliced(source_fd, self.fd, most_bytes):
                self.size_bytes += count
                self._write_back.wrote(self.fd, self.size_bytes)
        return self.size_bytes - begun_bytes

    def _pour_little(self, source_fd: int, most_bytes: int) -> int:
        self.catch_up()
        with _buffer() as buffer, memoryview(buffer) as view:
            count = _read(source_fd, view[:most_bytes])
            if count:
                self.put(view[:count])
                self.sum_up(view[:count])
            return count

    def cut_off(self, size_bytes: int, sums: Sequence[Sum]) -> None:
        """What lies beyond never was; ``sums`` are of what comes now."""
        with translated():
            os.ftruncate(self.fd, size_bytes)
            os.lseek(self.fd, size_bytes, os.SEEK_SET)
        self._stand_at(size_bytes, sums)

    def _stand_at(self, size_bytes: int, sums: Sequence[Sum]) -> None:
        self.size_bytes = self._summed_bytes = size_bytes
        self.sums = list(sums)
        self._write_back = disk.WriteBack(size_bytes)

    def catch_up(self) -> None:
        """Sum up what was poured, to the end of what is there when that is reached."""
        if not self.sums:
            self._summed_bytes = self.size_bytes
            return
        with translated():
            for span in disk.spans(self.fd, self._summed_bytes, lambda: self.size_bytes):
                self.sum_up(span)

    def close(self) -> None:
        fd, self.fd = self.fd, -1
        disk.close(fd)


def _read(fd: int, buffer: memoryview) -> int:
    """What a socket that does not block has by now. Its end or an error is told by whoever reads on from it."""
    try:
        return os.readv(fd, [buffer])
    except OSError:
        return 0


_buffers: list[bytearray] = []
"""As many as threads ever read at the same time. A fresh one for each read doubles its time: the kernel has to find 64 empty pages."""


@contextmanager
def _buffer() -> Iterator[bytearray]:
    buffer = _buffers.pop() if _buffers else bytearray(LITTLE_BYTES)
    try:
        yield buffer
    finally:
        _buffers.append(buffer)
