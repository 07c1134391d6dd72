"""The bytes of one upload on their way from the loop to the disk.

Chunks are gathered before they cross into a thread, since a crossing is dear: a slow sender's to ``BATCH_BYTES``, a fast one's to
``MOST_BYTES``. A batch is written and hashed (a large one in a thread each) while the next is gathered; never more than the two, or the bytes grow
cold in the processor's caches. So hundreds of slow uploads sit on little memory, and so do hundreds of fast ones that a slow disk keeps
waiting: a batch each, and ``TOGETHER_BYTES`` for all of a process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from backend.adapters.threads import Task, Threads

BATCH_BYTES = 128 << 10
SPLIT_BYTES = 512 << 10
MOST_BYTES = 1 << 20
FAST_S = 0.005
"""Who brings ``BATCH_BYTES`` within this time is fast: 26 MB/s."""
TOGETHER_BYTES = 8 << 20


class Gathered:
    """``sinks`` may take a batch at the same time; ``size_bytes`` counts what came by.

    What fails is raised by a later call, and by each one after it: ``flush`` at the latest.
    """

    together_bytes = 0

    def __init__(self, threads: Threads, sinks: Sequence[Callable[[bytes], None]]) -> None:
        self.size_bytes = 0
        self._threads, self._sinks = threads, sinks
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._since_s = 0.0
        self._under_way: list[Task] = []
        self._failure: Exception | None = None

    def add(self, chunk: bytes) -> None:
        if not self._waiting:
            self._since_s = time.monotonic()
        self._waiting.append(chunk)
        self.size_bytes += len(chunk)
        self._waiting_bytes += len(chunk)
        Gathered.together_bytes += len(chunk)
        if self._waiting_bytes >= BATCH_BYTES and (self._waiting_bytes >= MOST_BYTES or not self._may_grow()):
            self._hand_over()

    def flush(self) -> None:
        self._hand_over()
        self._settle()

    def forget(self) -> None:
        """Drop what waits; what is under way ends first, and how no longer matters."""
        self._take()
        tasks, self._under_way = self._under_way, []
        for each in tasks:
            each.wait()

    def _may_grow(self) -> bool:
        if Gathered.together_bytes >= TOGETHER_BYTES:
            return False
        return time.monotonic() - self._since_s < FAST_S or not all(each.is_done for each in self._under_way)

    def _hand_over(self) -> None:
        self._settle()
        if data := self._take():
            calls = self._sinks if len(data) >= SPLIT_BYTES else (self._one_after_the_other,)
            self._under_way = [self._threads.begin(each, data) for each in calls]

    def _one_after_the_other(self, data: bytes) -> None:
        for each in self._sinks:
            each(data)

    def _take(self) -> bytes:
        data = self._waiting[0] if len(self._waiting) == 1 else b"".join(self._waiting)
        Gathered.together_bytes -= self._waiting_bytes
        self._waiting, self._waiting_bytes = [], 0
        return data

    def _settle(self) -> None:
        tasks, self._under_way = self._under_way, []
        for error in [each.wait() for each in tasks]:
            self._failure = self._failure or error
        if self._failure is not None:
            raise self._failure
