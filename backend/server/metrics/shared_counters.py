"""What this process counts, in a place that outlives it: amounts by name, in a file that the next worker of the same slot goes on with.

Law: an amount that was added is never lost or doubled, however the process ends: ``add`` writes eight bytes into a shared mapping, which the
kernel keeps when the process is killed. There are as many files as workers ever ran at once, not as many as ever were started.

A slot is whoever holds the lock on ``<n>.lock``; the kernel lets go of it when the process dies. ``<n>.sums`` holds what only grows,
``<n>.now`` what the living worker says of itself, which nobody reads any more once the lock is free. A file is::

    used bytes (u64) · { length of the name (u64) · name, padded to 8 · value (f64) } …

Files have their full size from the start: a mapping that meets a full disk at its first write kills the process.
"""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

FILE_BYTES = 512 * 1024
"""Some four thousand names; labels are bounded, so there are a few hundred."""
MOST_SLOTS = 4096
WORD = struct.Struct("=Q")
VALUE = struct.Struct("=d")
LOCK, SUMS, NOW = ".lock", ".sums", ".now"

log = logging.getLogger(__name__)


class Table:
    """Values by name; in memory until it is mapped to a file."""

    def __init__(self) -> None:
        self._values: dict[str, float] = {}
        self._positions: dict[str, int] = {}
        self._map: mmap.mmap | None = None
        self._used = 0

    def map_to(self, path: Path) -> None:
        """Go on from what the file holds, and add what was counted before. Raises ``OSError``."""
        counted, self._values, self._positions = self._values, {}, {}
        self._map = _mapped(path)
        self._used = max(WORD.size, WORD.unpack_from(self._map)[0])
        for name, value, position in _records(self._map[:], self._used):
            self._values[name], self._positions[name] = value, position
        for name, value in counted.items():
            self.set(name, self.get(name) + value)

    def get(self, name: str) -> float:
        return self._values.get(name, 0.0)

    def set(self, name: str, value: float) -> None:
        self._values[name] = value
        if self._map is not None:
            position = self._positions.get(name) or self._append(name)
            if position:
                self._map[position : position + VALUE.size] = VALUE.pack(value)

    def all(self) -> dict[str, float]:
        return dict(self._values)

    def _append(self, name: str) -> int:
        """Where the new name's value stands; 0 when the file is full. The record counts once ``used`` covers it."""
        assert self._map is not None
        encoded = name.encode()
        padded = encoded + bytes(-len(encoded) % 8)
        end = self._used + WORD.size + len(padded) + VALUE.size
        if end > FILE_BYTES:
            return 0
        self._map[self._used : end] = WORD.pack(len(encoded)) + padded + VALUE.pack(0.0)
        self._map[: WORD.size] = WORD.pack(end)
        self._used = end
        self._positions[name] = end - VALUE.size
        return end - VALUE.size


class Reading(NamedTuple):
    """One slot: what was counted in it so far, and what its living worker says of itself; None where nobody lives."""

    slot: str
    sums: Mapping[str, float]
    now: Mapping[str, float] | None


class Tallies:
    """One a process; ``keep_in`` after the fork."""

    def __init__(self) -> None:
        self._sums, self._now = Table(), Table()
        self._directory: Path | None = None
        self._lock = -1
        self.slot = "0"

    def keep_in(self, directory: Path) -> None:
        """Claim a slot there. Without a disk the counts stay in this process, which is better than no worker."""
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.slot, self._lock = _claimed(directory)
            (directory / f"{self.slot}{NOW}").unlink(missing_ok=True)
            self._sums.map_to(directory / f"{self.slot}{SUMS}")
            self._now.map_to(directory / f"{self.slot}{NOW}")
            self._directory = directory
        except OSError as error:
            log.warning("this worker's counts are kept in its memory alone: %s", error.strerror)

    def leave(self) -> None:
        """Let the slot go to the next one, as the kernel does for a process that ended."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def add(self, name: str, amount: float = 1.0) -> None:
        """To what only grows."""
        self._sums.set(name, self._sums.get(name) + amount)

    def note(self, name: str, value: float) -> None:
        """What is so at present, of this process."""
        self._now.set(name, value)

    def read(self) -> list[Reading]:
        """All slots."""
        if self._directory is None:
            return [Reading(self.slot, self._sums.all(), self._now.all())]
        return [_reading(path, self.slot) for path in sorted(self._directory.glob(f"*{SUMS}"))]


tallies = Tallies()


def _claimed(directory: Path) -> tuple[str, int]:
    for number in range(MOST_SLOTS):
        lock = os.open(directory / f"{number}{LOCK}", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return str(number), lock
    raise OSError(0, "there is no free slot")


def _mapped(path: Path) -> mmap.mmap:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, FILE_BYTES)
        else:
            os.ftruncate(descriptor, FILE_BYTES)
        return mmap.mmap(descriptor, FILE_BYTES)
    finally:
        os.close(descriptor)


def _reading(path: Path, own: str) -> Reading:
    slot = path.name.removesuffix(SUMS)
    is_alive = slot == own or _is_held(path.with_suffix(LOCK))
    return Reading(slot, _values(path), _values(path.with_suffix(NOW)) if is_alive else None)


def _is_held(path: Path) -> bool:
    try:
        lock = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _values(path: Path) -> dict[str, float]:
    """Only the used part is read: a scrape must not hold up the loop."""
    try:
        with path.open("rb", buffering=0) as file:
            head = file.read(WORD.size)
            used = WORD.unpack(head)[0] if len(head) == WORD.size else 0
            data = head + file.read(max(0, used - len(head)))
    except OSError:
        return {}
    return {name: value for name, value, _ in _records(data, min(used, len(data)))}


def _records(data: bytes, used: int) -> Iterator[tuple[str, float, int]]:
    at = WORD.size
    while at < used:
        length = WORD.unpack_from(data, at)[0]
        start = at + WORD.size
        position = start + length + -length % 8
        yield data[start : start + length].decode(), VALUE.unpack_from(data, position)[0], position
        at = position + VALUE.size
