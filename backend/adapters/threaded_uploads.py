"""Resumable uploads for the gateway's loop: every call that touches the disk goes to a thread, as in ``threaded_store``.

Chunks are gathered to ``BATCH_BYTES`` before they cross. Smaller than the store's: a slow upload sits on half a batch for minutes, and there
may be hundreds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backend.adapters.file_uploads import FileUploads, FileWriting
from backend.adapters.threaded_store import ThreadedUpload
from backend.adapters.threads import Threads
from backend.core.resumable import Standing, Ticket

BATCH_BYTES = 128 << 10
THREADS = 8


class ThreadedWriting:
    def __init__(self, writing: FileWriting, threads: Threads) -> None:
        self._inner, self._threads, self._run = writing, threads, threads.run
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0

    @property
    def ticket(self) -> Ticket:
        return self._inner.ticket

    @property
    def standing(self) -> Standing:
        return self._inner.standing

    @property
    def position_bytes(self) -> int:
        return self._inner.position_bytes + self._waiting_bytes

    def write(self, chunk: bytes) -> None:
        self._waiting.append(chunk)
        self._waiting_bytes += len(chunk)
        if self._waiting_bytes >= BATCH_BYTES:
            self._flush()

    def head(self, length: int) -> bytes:
        self._flush()
        return self._run(self._inner.head, length)  # type: ignore[no-any-return]

    def sum_up(self, algorithm: str) -> None:
        self._flush()
        self._inner.sum_up(algorithm)

    def sum(self) -> bytes:
        self._flush()
        return self._inner.sum()

    def keep(self, now: float) -> None:
        self._flush()
        self._run(self._inner.keep, now)

    def drop(self) -> None:
        self._forget()
        self._run(self._inner.drop)

    def fix_length(self, length_bytes: int, now: float) -> None:
        self._run(self._inner.fix_length, length_bytes, now)

    def is_wanted(self) -> bool:
        return self._run(self._inner.is_wanted)  # type: ignore[no-any-return]

    def finished(self) -> ThreadedUpload:
        return ThreadedUpload(self._run(self._inner.finished), self._threads)

    def conclude(self, now: float) -> None:
        self._run(self._inner.conclude, now)

    def close(self) -> None:
        self._forget()
        self._run(self._inner.close)

    def _flush(self) -> None:
        data = b"".join(self._waiting)
        self._forget()
        if data:
            self._run(self._inner.write, data)

    def _forget(self) -> None:
        self._waiting, self._waiting_bytes = [], 0


class ThreadedUploads:
    def __init__(self, uploads: FileUploads) -> None:
        self._inner, self._threads = uploads, Threads(THREADS)
        self._run = self._threads.run

    def create(self, ticket: Ticket, standing: Standing, parts: Sequence[str] = ()) -> None:
        self._run(self._inner.create, ticket, standing, parts)

    def look(self, upload_id: str) -> tuple[Ticket, Standing]:
        return self._run(self._inner.look, upload_id)  # type: ignore[no-any-return]

    def open(self, upload_id: str) -> ThreadedWriting | None:
        writing = self._run(self._inner.open, upload_id)
        return ThreadedWriting(writing, self._threads) if writing else None

    def want(self, upload_id: str) -> None:
        self._run(self._inner.want, upload_id)

    def erase(self, upload_id: str) -> int:
        return self._run(self._inner.erase, upload_id)  # type: ignore[no-any-return]

    def all(self) -> Iterator[tuple[Ticket, Standing]]:
        return self._threads.walk(self._inner.all())

    def close(self) -> None:
        self._threads.close()
