"""The bytes of one upload on their way from the loop to the disk.

Chunks are gathered before they cross into a thread, since a crossing is dear: a slow sender's to ``BATCH_BYTES``, a fast one's to
``MOST_BYTES``. A batch is written and hashed (a large one in a thread each) while the next is gathered; never more than the two, or the bytes grow
cold in the processor's caches. So hundreds of slow uploads sit on little memory, and so do hundreds of fast ones that a slow disk keeps
waiting: a batch each, and ``TOGETHER_BYTES`` for all of a process.

Where the sink is a file, ``receive_from_fd`` spares even that: what waits in the socket is read, written and summed up in one crossing. A fast
sender's bytes go from the socket into the file inside the kernel, and another thread reads them from the file, for their sum, while the next are on
their way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar, cast

from backend.adapters.files.append_file import LITTLE_BYTES
from backend.adapters.threaded.pool import Task, Threads

T = TypeVar("T")
BATCH_BYTES = 128 << 10
SPLIT_BYTES = 512 << 10
MOST_BYTES = 1 << 20
FAST_S = 0.005
"""Who brings ``BATCH_BYTES`` within this time is fast: 26 MB/s."""
TOGETHER_BYTES = 4 << 20


class SocketSink(Protocol):
    def receive_from_fd(self, source_fd: int, most_bytes: int) -> int: ...

    def catch_up(self) -> None:
        """Sum up what was poured; it may run beside ``receive_from_fd``."""


class WriteBuffer:
    """``sinks`` may take a batch at the same time; ``size_bytes`` counts what came by.

    What fails is raised by a later call, and by each one after it: ``flush`` at the latest.
    """

    together_bytes = 0

    def __init__(self, threads: Threads, sinks: Sequence[Callable[[bytes], None]], file: SocketSink | None = None) -> None:
        self.size_bytes = 0
        self._threads, self._sinks, self._file = threads, sinks, file
        self._follower: Task | None = None
        self._is_behind = False
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._since_s = 0.0
        self._under_way: list[Task] = []
        self._failure: Exception | None = None

    def add(self, chunk: bytes) -> None:
        self.catch_up()
        if not self._waiting:
            self._since_s = time.monotonic()
        self._waiting.append(chunk)
        self.size_bytes += len(chunk)
        self._waiting_bytes += len(chunk)
        WriteBuffer.together_bytes += len(chunk)
        if self._waiting_bytes >= BATCH_BYTES and (self._waiting_bytes >= MOST_BYTES or not self._may_grow()):
            self._hand_over()

    def fail(self, error: Exception) -> None:
        """``error`` is raised by each later call: bytes that came before are missing."""
        self._failure = error

    def flush(self) -> None:
        self._hand_over()
        self._settle()

    def then(self, call: Callable[[], T]) -> T:
        """``flush``, and what ``call`` returns: in one crossing where little waits."""
        if self._under_way or self._waiting_bytes >= SPLIT_BYTES or self._failure is not None:
            self.flush()
        data = self._take()

        def write_and_call() -> T:
            if data:
                self._write(data)
            return call()

        return cast(T, self._threads.run(write_and_call))

    def receive_from_fd(self, source_fd: int, most_bytes: int) -> int:
        """How many bytes went from the socket into the file; 0 where that cannot be. The sum of many lags behind: ``catch_up``."""
        file = self._file
        if file is None:
            return 0
        self.flush()
        if most_bytes <= LITTLE_BYTES:
            self.catch_up()
        else:
            self._follow(file)

        try:
            count = cast(int, self._threads.run(file.receive_from_fd, source_fd, most_bytes))
        except Exception as error:
            self._failure = self._failure or error
            raise
        self._settle()
        self.size_bytes += count
        return count

    def catch_up(self) -> None:
        """The sum of what was poured is made."""
        if self._file is not None and self._is_behind:
            self._settle_follower()
            self._threads.run(self._file.catch_up)
            self._is_behind = False

    def forget(self) -> None:
        """Drop what waits; what is under way ends first, and how no longer matters."""
        self._take()
        tasks, self._under_way = self._under_way, []
        follower, self._follower, self._is_behind = self._follower, None, False
        for each in (*tasks, *([follower] if follower else [])):
            each.wait()

    def _may_grow(self) -> bool:
        if WriteBuffer.together_bytes >= TOGETHER_BYTES:
            return False
        return time.monotonic() - self._since_s < FAST_S or not all(each.is_done for each in self._under_way)

    def _hand_over(self) -> None:
        self._settle()
        if data := self._take():
            calls = self._sinks if len(data) >= SPLIT_BYTES else (self._one_after_the_other,)
            self._under_way = [self._threads.begin(each, data) for each in calls]

    def _write(self, data: bytes) -> None:
        try:
            self._one_after_the_other(data)
        except Exception as error:
            self._failure = error
            raise

    def _one_after_the_other(self, data: bytes) -> None:
        for each in self._sinks:
            each(data)

    def _follow(self, file: SocketSink) -> None:
        if self._follower is None or self._follower.is_done:
            self._settle_follower()
            self._follower = self._threads.begin(file.catch_up)
        self._is_behind = True

    def _settle_follower(self) -> None:
        task, self._follower = self._follower, None
        if task is not None:
            self._failure = self._failure or task.wait()
        if self._failure is not None:
            raise self._failure

    def _take(self) -> bytes:
        data = self._waiting[0] if len(self._waiting) == 1 else b"".join(self._waiting)
        WriteBuffer.together_bytes -= self._waiting_bytes
        self._waiting, self._waiting_bytes = [], 0
        return data

    def _settle(self) -> None:
        tasks, self._under_way = self._under_way, []
        for error in [each.wait() for each in tasks]:
            self._failure = self._failure or error
        if self._failure is not None:
            raise self._failure
