"""The bytes of one upload on their way from the loop to the disk.

Handing a chunk to a thread is dear, so chunks are collected first, to ``BATCH_BYTES``. While one batch is written and hashed (a large one in a
thread each), the next is collected, and grows to ``MOST_BYTES`` where the sender is faster than that. There are never more than these two, or the
bytes would have left the processor's caches. All uploads of a process together hold ``TOGETHER_BYTES`` and a batch each, so that hundreds of
uploads need little memory, also when the disk is slow.

Where the sink is a file, ``receive_from_fd`` avoids the loop: a thread reads the socket, writes and hashes in one turn. A fast sender's bytes go
from the socket into the file inside the kernel. Another thread, the follower, reads them from the file for their checksum while the next arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from backend.adapters.files.append_file import READ_BYTES
from backend.adapters.threaded.pool import Task, Threads

T = TypeVar("T")
BATCH_BYTES = 128 << 10
SPLIT_BYTES = 512 << 10
"""From here on a batch is written and hashed at the same time."""
MOST_BYTES = 1 << 20
TOGETHER_BYTES = 4 << 20


class SocketSink(Protocol):
    """A file that can take a socket's bytes by itself (``AppendFile``)."""

    def receive_from_fd(self, source_fd: int, most_bytes: int) -> int: ...

    def catch_up(self) -> None: ...


class WriteBuffer:
    """``sinks`` get each batch, and may run at the same time. ``size_bytes`` counts what was given to ``add`` and what came from sockets.

    An error of a sink is raised by a later call and by each one after it, at the latest by ``flush``.
    """

    together_bytes = 0
    """What all buffers of this process hold."""

    def __init__(self, threads: Threads, sinks: Sequence[Callable[[bytes], None]], file: SocketSink | None = None) -> None:
        self.size_bytes = 0
        self._threads, self._sinks, self._file = threads, sinks, file
        self._follower: Task | None = None
        self._is_behind = False
        self._chunks: list[bytes] = []
        self._chunks_bytes = 0
        self._under_way: list[Task] = []
        self._failure: Exception | None = None

    def add(self, chunk: bytes) -> None:
        self.catch_up()
        self._chunks.append(chunk)
        self.size_bytes += len(chunk)
        self._chunks_bytes += len(chunk)
        WriteBuffer.together_bytes += len(chunk)
        if self._chunks_bytes >= BATCH_BYTES and (self._chunks_bytes >= MOST_BYTES or not self._may_grow()):
            self._start_batch()

    def fail(self, error: Exception) -> None:
        """Raise ``error`` in every later call: bytes before those of this buffer are missing."""
        self._failure = error

    def flush(self) -> None:
        """Wait until all sinks have got everything."""
        self._start_batch()
        self._wait_for_batch()

    def flush_with_checksums(self) -> None:
        self.flush()
        self.catch_up()

    def flush_and_run(self, call: Callable[[], T]) -> T:
        """``flush``, then return what ``call`` returns in a thread; in one turn of it where little waits."""
        if self._under_way or self._chunks_bytes >= SPLIT_BYTES or self._failure is not None:
            self.flush()
        data = self._take_chunks()

        def write_and_call() -> T:
            if data:
                self._write(data)
            return call()

        return self._threads.run(write_and_call)

    def receive_from_fd(self, source_fd: int, most_bytes: int) -> int:
        """As ``ports.Upload.receive_from_fd``. 0 where the sink is no file."""
        if self._file is None:
            return 0
        self.flush()
        if most_bytes <= READ_BYTES:
            self.catch_up()
        else:
            self._start_follower(self._file)
        try:
            count = self._threads.run(self._file.receive_from_fd, source_fd, most_bytes)
        except Exception as error:
            self._failure = self._failure or error
            raise
        self.size_bytes += count
        return count

    def catch_up(self) -> None:
        """Wait until the checksum covers what came from sockets."""
        if self._file is not None and self._is_behind:
            self._wait_for_follower()
            self._threads.run(self._file.catch_up)
            self._is_behind = False

    def abandon(self) -> None:
        """Drop what waits, and wait for what is under way; its errors no longer matter."""
        self._take_chunks()
        tasks, self._under_way = self._under_way, []
        follower, self._follower, self._is_behind = self._follower, None, False
        for each in (*tasks, *([follower] if follower else [])):
            each.wait()

    def _may_grow(self) -> bool:
        """Whether to collect more than ``BATCH_BYTES``, since the batch before is still under way."""
        return WriteBuffer.together_bytes < TOGETHER_BYTES and not all(each.is_done for each in self._under_way)

    def _start_batch(self) -> None:
        self._wait_for_batch()
        if data := self._take_chunks():
            calls = self._sinks if len(data) >= SPLIT_BYTES else (self._feed_sinks,)
            self._under_way = [self._threads.start(each, data) for each in calls]

    def _write(self, data: bytes) -> None:
        try:
            self._feed_sinks(data)
        except Exception as error:
            self._failure = error
            raise

    def _feed_sinks(self, data: bytes) -> None:
        for each in self._sinks:
            each(data)

    def _start_follower(self, file: SocketSink) -> None:
        if self._follower is None or self._follower.is_done:
            self._wait_for_follower()
            self._follower = self._threads.start(file.catch_up)
        self._is_behind = True

    def _wait_for_follower(self) -> None:
        task, self._follower = self._follower, None
        if task is not None:
            self._failure = self._failure or task.wait()
        self._raise_failure()

    def _take_chunks(self) -> bytes:
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        WriteBuffer.together_bytes -= self._chunks_bytes
        self._chunks, self._chunks_bytes = [], 0
        return data

    def _wait_for_batch(self) -> None:
        tasks, self._under_way = self._under_way, []
        for error in [each.wait() for each in tasks]:
            self._failure = self._failure or error
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
