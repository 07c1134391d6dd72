"""Resumable uploads for the gateway's loop: every call that touches the disk runs in a thread."""

from __future__ import annotations

from collections.abc import Sequence

from backend.adapters.blocking_uploads import BlockingUploads, BlockingWriter
from backend.adapters.threaded.pool import Task, Threads
from backend.adapters.threaded.upload import ThreadedUpload
from backend.adapters.threaded.write_buffer import WriteBuffer
from backend.core.resumable import UploadInfo, UploadState
from backend.ports.resumable import Listed

THREADS = 8


class ThreadedUploadWriter:
    """Takes and writes bytes while a checkpoint is under way. The error of a checkpoint is raised by every later call that relies on it."""

    def __init__(self, writer: BlockingWriter, threads: Threads) -> None:
        self._inner, self._threads, self._run = writer, threads, threads.run
        self._buffer = WriteBuffer(threads, (writer.data.append, writer.data.update_checksums), writer.data)
        self._begun_bytes = writer.position_bytes
        self._checkpoint: Task | None = None
        self._failure: Exception | None = None

    @property
    def info(self) -> UploadInfo:
        return self._inner.info

    @property
    def state(self) -> UploadState:
        return self._inner.state

    @property
    def position_bytes(self) -> int:
        return self._begun_bytes + self._buffer.size_bytes

    def write(self, chunk: bytes) -> None:
        self._buffer.add(chunk)

    def receive_from_fd(self, source_fd: int, most_bytes: int) -> int:
        return self._buffer.receive_from_fd(source_fd, most_bytes)

    def read_head(self, length: int) -> bytes:
        self._buffer.flush()
        return self._run(self._inner.read_head, length)

    def start_checksum(self, algorithm: str) -> None:
        self._buffer.flush_with_checksums()
        self._inner.start_checksum(algorithm)

    def checksum(self) -> bytes:
        self._buffer.flush_with_checksums()
        return self._inner.checksum()

    def save(self, now: float) -> None:
        self._wait_for_checkpoint()
        self._buffer.flush()
        self._run(self._inner.save, now)

    def checkpoint(self, now: float) -> None:
        if self._checkpoint is not None and not self._checkpoint.is_done:
            return
        self._wait_for_checkpoint()
        self._buffer.flush()
        self._checkpoint = self._threads.start(self._inner.save, now)

    def discard_unsaved(self) -> None:
        self._abandon()
        self._run(self._inner.discard_unsaved)
        self._begun_bytes = self._inner.position_bytes - self._buffer.size_bytes

    def set_length(self, length_bytes: int, now: float) -> None:
        self._wait_for_checkpoint()
        self._run(self._inner.set_length, length_bytes, now)

    def is_takeover_requested(self) -> bool:
        return self._run(self._inner.is_takeover_requested)

    def create_upload(self) -> ThreadedUpload:
        self._wait_for_checkpoint()
        self._buffer.flush_with_checksums()
        return ThreadedUpload.of(self._run(self._inner.create_upload), self._threads)

    def mark_as_job(self, now: float) -> None:
        self._wait_for_checkpoint()
        self._run(self._inner.mark_as_job, now)

    def close(self) -> None:
        self._abandon()
        self._run(self._inner.close)

    def _wait_for_checkpoint(self) -> None:
        self._end_checkpoint()
        if self._failure is not None:
            raise self._failure

    def _abandon(self) -> None:
        """Wait for every thread that uses the file, before it is truncated or closed."""
        self._buffer.abandon()
        self._end_checkpoint()

    def _end_checkpoint(self) -> None:
        task, self._checkpoint = self._checkpoint, None
        if task is not None:
            self._failure = self._failure or task.wait()


class ThreadedUploads:
    """``ports.Uploads``, around a store's own."""

    def __init__(self, uploads: BlockingUploads) -> None:
        self._inner, self._threads = uploads, Threads(THREADS)
        self._run = self._threads.run

    def prepare(self) -> None:
        self._run(self._inner.prepare)

    def create(self, info: UploadInfo, state: UploadState, parts: Sequence[str] = ()) -> bool:
        return self._run(self._inner.create, info, state, parts)

    def find(self, upload_id: str) -> tuple[UploadInfo, UploadState]:
        return self._run(self._inner.find, upload_id)

    def open(self, upload_id: str) -> ThreadedUploadWriter | None:
        writer = self._run(self._inner.open, upload_id)
        return ThreadedUploadWriter(writer, self._threads) if writer else None

    def request_takeover(self, upload_id: str) -> None:
        self._run(self._inner.request_takeover, upload_id)

    def erase(self, upload_id: str) -> int:
        return self._run(self._inner.erase, upload_id)

    def page(self, after: str, most: int) -> list[Listed]:
        return self._run(self._inner.page, after, most)

    def close(self) -> None:
        self._threads.close()
