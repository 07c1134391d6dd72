"""A file whose bytes arrive, by whichever way, and are summed up in their order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from backend.adapters.files import disk
from backend.adapters.files.boundary_scanner import Sieve
from backend.adapters.files.disk import translated, write_all
from backend.adapters.files.splice import spliced
from backend.core.delimiters import sure_bytes

LITTLE_BYTES = 256 << 10
"""Not worth a pipe, nor a thread that follows."""
HELD_BYTES = 16 << 10
"""More than any mark has: a head's line is no longer than the half."""
Sum = Callable[[bytes | memoryview], object]


class AppendFile:
    """``sums`` are updated with each byte once; without any, nothing is read again. Use from one thread at a time, but for the two halves of
    ``write``, and ``catch_up`` beside ``pour``. Raises ``StorageFull``, ``BackendUnavailable``.
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

    def pour(self, source_fd: int, most_bytes: int) -> int:
        """As ``ports.Upload.pour``. A little is summed up too."""
        if most_bytes <= LITTLE_BYTES:
            return self._pour_little(source_fd, most_bytes)[0]
        begun_bytes = self.size_bytes
        with translated():
            for count in spliced(source_fd, self.fd, most_bytes):
                self.size_bytes += count
                self._write_back.wrote(self.fd, self.size_bytes)
        return self.size_bytes - begun_bytes

    def pour_up_to(self, mark: bytes, source_fd: int, most_bytes: int, held: bytes = b"") -> tuple[int, bytes]:
        """As ``ports.Upload.pour_up_to``. All of it is summed up."""
        if most_bytes <= LITTLE_BYTES and len(held) <= HELD_BYTES:
            return self._pour_little(source_fd, most_bytes, mark, held)
        part = UpTo(self, mark, source_fd, most_bytes, held)
        part.fill()
        return part.follow()[1]

    def _pour_little(self, source_fd: int, most_bytes: int, mark: bytes = b"", held: bytes = b"") -> tuple[int, bytes]:
        self.catch_up()
        with _room() as room, memoryview(room) as view:
            room[: len(held)] = held
            count = _read(source_fd, view[len(held) : len(held) + most_bytes])
            size = len(held) + count
            sure = sure_bytes(room, size, mark) if mark else size
            if sure:
                self.put(view[:sure])
                self.sum_up(view[:sure])
            return count, bytes(view[sure:size])

    def fill(self, source_fd: int, most_bytes: int, held: bytes) -> Iterator[int]:
        """``held`` and ``pour``, while nobody sees a size that counts bytes which may be handed back; how many more, again and again."""
        end_bytes = self.size_bytes + len(held)
        with translated():
            write_all(self.fd, held)
            yield len(held)
            for count in spliced(source_fd, self.fd, most_bytes):
                end_bytes += count
                self._write_back.wrote(self.fd, end_bytes)
                yield count

    def end_at(self, kept_bytes: int, end_bytes: int) -> bytes:
        """Of what ``fill`` brought, to ``end_bytes``, so much is kept; the rest."""
        with translated():
            rest = disk.content(self.fd, kept_bytes, end_bytes)
            if rest:
                os.ftruncate(self.fd, kept_bytes)
                os.lseek(self.fd, kept_bytes, os.SEEK_SET)
        self.size_bytes = kept_bytes
        return rest

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


class UpTo:
    """One ``pour_up_to``. ``fill`` and ``follow`` may run at the same time, and ``follow`` ends last; all that came before is summed up."""

    def __init__(self, file: AppendFile, mark: bytes, source_fd: int, most_bytes: int, held: bytes) -> None:
        self._file, self._source_fd, self._most_bytes, self._held = file, source_fd, most_bytes, held
        self._begun_bytes = self._end_bytes = file.size_bytes
        self._is_filled = False
        self._sieve = Sieve(file.fd, file.size_bytes, mark, file.sum_up)

    def fill(self) -> None:
        try:
            for count in self._file.fill(self._source_fd, self._most_bytes, self._held):
                self._end_bytes += count
        finally:
            self._is_filled = True

    def follow(self) -> tuple[int, tuple[int, bytes]]:
        """How many bytes more the file has, and what ``pour_up_to`` returns."""
        with translated():
            while not self._is_filled:
                if not self._sieve.go_on(self._end_bytes):
                    disk.pause()
            self._sieve.go_on(self._end_bytes)
            kept_bytes = self._sieve.end()
        rest = self._file.end_at(kept_bytes, self._end_bytes)
        return kept_bytes - self._begun_bytes, (self._end_bytes - self._begun_bytes - len(self._held), rest)


def _read(fd: int, room: memoryview) -> int:
    """What a socket that does not block has by now. Its end or an error is told by whoever reads on from it."""
    try:
        return os.readv(fd, [room])
    except OSError:
        return 0


_rooms: list[bytearray] = []
"""As many as threads ever read at the same time."""


@contextmanager
def _room() -> Iterator[bytearray]:
    room = _rooms.pop() if _rooms else bytearray(HELD_BYTES + LITTLE_BYTES)
    try:
        yield room
    finally:
        _rooms.append(room)
