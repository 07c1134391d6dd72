"""Counters of all workers of this machine, which outlive the workers: none is lost or counted twice, however a worker ends.

Each worker has a slot: the first whose ``<n>.lock`` it can lock. The kernel releases the lock when the process dies, and the next worker goes on
with the slot's files. So there are as many files as workers ever ran at once. ``<n>.sums`` has what only grows; ``<n>.now`` has what the living
worker says of itself, and is not read once the lock is free. ``mapped_table`` has their format.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from backend.server.metrics.mapped_table import MappedTable, read_table

MAX_SLOTS = 4096
LOCK, SUMS, NOW = ".lock", ".sums", ".now"

log = logging.getLogger(__name__)


class WorkerCounters(NamedTuple):
    """One slot: what was counted in it so far, and what its living worker says of itself. ``now`` is None where no worker lives."""

    slot: str
    sums: Mapping[str, float]
    now: Mapping[str, float] | None


class SharedCounters:
    """One a process. Call ``keep_in`` after the fork."""

    def __init__(self) -> None:
        self._sums, self._now = MappedTable(), MappedTable()
        self._directory: Path | None = None
        self._lock = -1
        self.slot = "0"

    def keep_in(self, directory: Path) -> None:
        """Take a slot there. Without a disk the counters stay in this process, and the worker runs all the same."""
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.slot, self._lock = _lock_slot(directory)
            (directory / f"{self.slot}{NOW}").unlink(missing_ok=True)
            self._sums.map_to(directory / f"{self.slot}{SUMS}")
            self._now.map_to(directory / f"{self.slot}{NOW}")
            self._directory = directory
        except OSError as error:
            log.warning("this worker's counts are kept in its memory alone: %s", error.strerror)

    def release(self) -> None:
        """Give the slot to the next process, as the kernel does when this one ends."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def add(self, name: str, amount: float = 1.0) -> None:
        """To a number that only grows."""
        self._sums.set(name, self._sums.get(name) + amount)

    def set(self, name: str, value: float) -> None:
        """A number that is true at present, of this process."""
        self._now.set(name, value)

    def read_all(self) -> list[WorkerCounters]:
        """By slot."""
        if self._directory is None:
            return [WorkerCounters(self.slot, self._sums.all(), self._now.all())]
        return [_read_slot(path, self.slot) for path in sorted(self._directory.glob(f"*{SUMS}"))]


counters = SharedCounters()


def _lock_slot(directory: Path) -> tuple[str, int]:
    """Raises ``OSError``."""
    for number in range(MAX_SLOTS):
        lock = os.open(directory / f"{number}{LOCK}", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return str(number), lock
    raise OSError(0, "there is no free slot")


def _read_slot(path: Path, own: str) -> WorkerCounters:
    slot = path.name.removesuffix(SUMS)
    is_alive = slot == own or _is_locked(path.with_suffix(LOCK))
    return WorkerCounters(slot, read_table(path), read_table(path.with_suffix(NOW)) if is_alive else None)


def _is_locked(path: Path) -> bool:
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
