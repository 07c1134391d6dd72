"""Resumable uploads for the gateway's loop: every call that touches the disk goes to a thread, as in ``threaded_store``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backend.adapters.files.resumable import FileUploads, FileUploadWriter
from backend.adapters.threaded.pool import Task, Threads
from backend.adapters.threaded.store import ThreadedUpload
from backend.adapters.threaded.write_buffer import WriteBuffer
from backend.core.resumable import UploadInfo, UploadState

THREADS = 8


class ThreadedUploadWriter:
    """While a checkpoint is under way, bytes are taken and written on. One that failed fails whatever would count on it later."""

    def __init__(self, writer: FileUploadWriter, threads: Threads) -> None:
        self._inner, self._threads, self._run = writer, threads, threads.run
        self._chunks = WriteBuffer(threads, (writer.data.put, writer.data.sum_up), writer.data)
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
        return self._begun_bytes + self._chunks.size_bytes

    def write(self, chunk: bytes) -> None:
        """What fails is raised by a later call: ``keep`` at the latest."""
        self._chunks.add(chunk)

    def receive_from_fd(self, source_fd: int, most_bytes: int) -> int:
        return self._chunks.receive_from_fd(source_fd, most_bytes)

    def read_head(self, length: int) -> bytes:
        self._chunks.flush()
        return self._run(self._inner.read_head, length)  # type: ignore[no-any-return]

    def start_checksum(self, algorithm: str) -> None:
        self._sum()
        self._inner.start_checksum(algorithm)

    def checksum(self) -> bytes:
        self._sum()
        return self._inner.checksum()

    def save(self, now: float) -> None:
        self._settle()
        self._chunks.flush()
        self._run(self._inner.save, now)

    def checkpoint(self, now: float) -> None:
        if self._checkpoint is not None and not self._checkpoint.is_done:
            return
        self._settle()
        self._chunks.flush()
        self._checkpoint = self._threads.begin(self._inner.save, now)

    def discard_unsaved(self) -> None:
        self._forget()
        self._run(self._inner.discard_unsaved)
        self._begun_bytes = self._inner.position_bytes - self._chunks.size_bytes

    def set_length(self, length_bytes: int, now: float) -> None:
        self._settle()
        self._run(self._inner.set_length, length_bytes, now)

    def is_takeover_requested(self) -> bool:
        return self._run(self._inner.is_takeover_requested)  # type: ignore[no-any-return]

    def create_upload(self) -> ThreadedUpload:
        self._settle()
        self._sum()
        return ThreadedUpload.of(self._run(self._inner.create_upload), self._threads)

    def mark_as_job(self, now: float) -> None:
        self._settle()
        self._run(self._inner.mark_as_job, now)

    def close(self) -> None:
        self._forget()
        self._run(self._inner.close)

    def _sum(self) -> None:
        self._chunks.flush()
        self._chunks.catch_up()

    def _settle(self) -> None:
        task, self._checkpoint = self._checkpoint, None
        if task is not None:
            self._failure = self._failure or task.wait()
        if self._failure is not None:
            raise self._failure

    def _forget(self) -> None:
        """Nothing may be at the file when it is cut off or closed."""
        self._chunks.forget()
        task, self._checkpoint = self._checkpoint, None
        if task is not None:
            self._failure = self._failure or task.wait()


class ThreadedUploads:
    def __init__(self, uploads: FileUploads) -> None:
        self._inner, self._threads = uploads, Threads(THREADS)
        self._run = self._threads.run

    def create(self, info: UploadInfo, state: UploadState, parts: Sequence[str] = ()) -> bool:
        return self._run(self._inner.create, info, state, parts)  # type: ignore[no-any-return]

    def find(self, upload_id: str) -> tuple[UploadInfo, UploadState]:
        return self._run(self._inner.find, upload_id)  # type: ignore[no-any-return]

    def open(self, upload_id: str) -> ThreadedUploadWriter | None:
        writer = self._run(self._inner.open, upload_id)
        return ThreadedUploadWriter(writer, self._threads) if writer else None

    def request_takeover(self, upload_id: str) -> None:
        self._run(self._inner.request_takeover, upload_id)

    def erase(self, upload_id: str) -> int:
        return self._run(self._inner.erase, upload_id)  # type: ignore[no-any-return]

    def all(self) -> Iterator[tuple[UploadInfo, UploadState]]:
        return self._threads.walk(self._inner.all())

    def close(self) -> None:
        self._threads.close()
