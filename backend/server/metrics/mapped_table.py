"""Numbers by name in a file that is mapped into memory, so that a number which was written outlives the process.

``set`` writes eight bytes into a shared mapping. The kernel keeps them when the process is killed, and no half of a number is ever seen. A file is::

    used bytes (u64) · { length of the name (u64) · name, padded to 8 · value (f64) } …

A file has its full size from the start. If a full disk were met only at the first write to a hole, the kernel would kill the process.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator
from pathlib import Path

FILE_BYTES = 512 * 1024
"""Some four thousand names. Labels are bounded, so a few hundred are in use."""
WORD = struct.Struct("=Q")
VALUE = struct.Struct("=d")


class MappedTable:
    """In memory alone until ``map_to``."""

    def __init__(self) -> None:
        self._values: dict[str, float] = {}
        self._positions: dict[str, int] = {}
        self._map: mmap.mmap | None = None
        self._used_bytes = 0

    def map_to(self, path: Path) -> None:
        """Continue with what the file holds, and add what was counted before. Raises ``OSError``."""
        counted, self._values, self._positions = self._values, {}, {}
        self._map = _map_file(path)
        self._used_bytes = max(WORD.size, WORD.unpack_from(self._map)[0])
        for name, value, position in _records(self._map[:], self._used_bytes):
            self._values[name], self._positions[name] = value, position
        for name, value in counted.items():
            self.set(name, self.get(name) + value)

    def get(self, name: str) -> float:
        return self._values.get(name, 0.0)

    def set(self, name: str, value: float) -> None:
        """A name for which the file has no room any more is kept in memory alone."""
        self._values[name] = value
        if self._map is not None:
            position = self._positions.get(name) or self._append(name)
            if position:
                self._map[position : position + VALUE.size] = VALUE.pack(value)

    def all(self) -> dict[str, float]:
        return dict(self._values)

    def _append(self, name: str) -> int:
        """The position of the new name's value; 0 when the file is full. The record counts once the used bytes cover it."""
        assert self._map is not None
        encoded = name.encode()
        padded = encoded + bytes(-len(encoded) % 8)
        end = self._used_bytes + WORD.size + len(padded) + VALUE.size
        if end > FILE_BYTES:
            return 0
        self._map[self._used_bytes : end] = WORD.pack(len(encoded)) + padded + VALUE.pack(0.0)
        self._map[: WORD.size] = WORD.pack(end)
        self._used_bytes = end
        self._positions[name] = end - VALUE.size
        return end - VALUE.size


def read_table(path: Path) -> dict[str, float]:
    """Another process's numbers. Empty where there is no file yet. Reads the used part alone, so that a scrape does not hold up the loop."""
    try:
        with path.open("rb", buffering=0) as file:
            head = file.read(WORD.size)
            used_bytes = WORD.unpack(head)[0] if len(head) == WORD.size else 0
            data = head + file.read(max(0, used_bytes - len(head)))
    except OSError:
        return {}
    return {name: value for name, value, _ in _records(data, min(used_bytes, len(data)))}


def _map_file(path: Path) -> mmap.mmap:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, FILE_BYTES)
        else:
            os.ftruncate(descriptor, FILE_BYTES)
        return mmap.mmap(descriptor, FILE_BYTES)
    finally:
        os.close(descriptor)


def _records(data: bytes, used_bytes: int) -> Iterator[tuple[str, float, int]]:
    """Name, value, and the value's position."""
    at = WORD.size
    while at < used_bytes:
        length = WORD.unpack_from(data, at)[0]
        start = at + WORD.size
        position = start + length + -length % 8
        yield data[start : start + length].decode(), VALUE.unpack_from(data, position)[0], position
        at = position + VALUE.size
