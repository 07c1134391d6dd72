"""An upload for the gateway's loop: small ones stay in memory until they are committed, others are written by threads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from backend.adapters.files.upload import FileUpload
from backend.adapters.threaded.pool import Threads
from backend.adapters.threaded.write_buffer import WriteBuffer
from backend.core.image_headers import ReadAt
from backend.ports.source_files import Upload

T = TypeVar("T")
EARLY_BYTES = 1 << 20
"""An upload up to this size is hashed on the loop as it comes, and created, written and committed in one turn of a thread."""
SMALL_BYTES = 256 << 10
EARLY_TOGETHER_BYTES = 8 << 20
"""Beyond so much that all uploads of a process keep in memory, none keeps more than ``SMALL_BYTES`` there."""
MOST_CHUNKS = 64
"""Of one upload. More small ones are put together."""
GLIMPSES, GLIMPSE_BYTES = 4, 4 << 10
"""So much of an early image's header is parsed on the loop. Headers of more parts may take over 5 ms, and are parsed in a thread."""


class ThreadedUpload:
    """``create`` makes the store's upload: as soon as more than ``EARLY_BYTES`` have come, or with the commit."""

    together_bytes = 0
    """What all uploads of this process hold that are not created yet."""

    def __init__(self, create: Callable[[], Upload], threads: Threads) -> None:
        self._create, self._threads = create, threads
        self._early: list[bytes] = []
        self._early_bytes = 0
        self._early_hash = hashlib.sha256()
        self._created: _CreatedUpload | None = None

    @classmethod
    def of(cls, upload: Upload, threads: Threads) -> ThreadedUpload:
        """For an upload that the store has created already."""
        made = cls(lambda: upload, threads)
        made._created = _CreatedUpload(upload, threads)
        return made

    @property
    def size_bytes(self) -> int:
        return self._early_bytes if self._created is None else self._created.size_bytes

    def write(self, chunk: bytes) -> None:
        if self._may_keep(len(chunk)):
            self._keep(chunk)
        else:
            self._ensure_created().buffer.add(chunk)

    def receive_from_fd(self, source_fd: int, most_bytes: int) -> int:
        return self._ensure_created().buffer.receive_from_fd(source_fd, most_bytes)

    def flush(self) -> Upload:
        """The store's own upload, once it has all bytes."""
        created = self._ensure_created()
        created.buffer.flush()
        return created.upload

    def commit(self, call: Callable[[Upload], T]) -> T:
        """Run ``call`` with the store's own upload in a thread."""
        if self._created is None:
            return self._create_and_run(call)
        return self._threads.run(call, self.flush())

    def sha256(self) -> str:
        if self._created is None:
            return self._early_hash.hexdigest()
        self._created.buffer.flush_with_checksums()
        return self._created.upload.sha256()

    def inspect(self, look: Callable[[ReadAt, int], T]) -> T:
        if self._created is None:
            try:
                return look(_Glimpses(self._early).read_at, self._early_bytes)
            except _TooManyGlimpses:
                return self._create_and_run(lambda upload: upload.inspect(look))
        upload, buffer = self._created.upload, self._created.buffer
        return buffer.flush_and_run(lambda: upload.inspect(look))

    def discard(self) -> None:
        if self._created is not None:
            self._created.buffer.abandon()
            self._threads.run(self._created.upload.discard)
        self._take_early()

    def _may_keep(self, count: int) -> bool:
        if self._created is not None:
            return False
        size_bytes = self._early_bytes + count
        return size_bytes <= SMALL_BYTES or (size_bytes <= EARLY_BYTES and ThreadedUpload.together_bytes + count <= EARLY_TOGETHER_BYTES)

    def _keep(self, chunk: bytes) -> None:
        self._early.append(chunk)
        self._early_bytes += len(chunk)
        self._early_hash.update(chunk)
        ThreadedUpload.together_bytes += len(chunk)
        if len(self._early) > MOST_CHUNKS:
            self._early = [b"".join(self._early)]

    def _take_early(self) -> list[bytes]:
        chunks, self._early = self._early, []
        ThreadedUpload.together_bytes -= sum(map(len, chunks))
        return chunks

    def _ensure_created(self) -> _CreatedUpload:
        if self._created is None:
            self._create_and_run(lambda _upload: None)
        assert self._created is not None
        return self._created

    def _create_and_run(self, call: Callable[[Upload], T]) -> T:
        """Create the store's upload, write the early bytes and return what ``call`` returns, in one turn of a thread.

        ``discard`` knows the upload even if a later step fails.
        """

        def create() -> T:
            upload = self._create()
            self._created = _CreatedUpload(upload, self._threads)
            self._created.write_early(self._take_early(), self._early_hash)
            return call(upload)

        return self._threads.run(create)


class _TooManyGlimpses(Exception):
    pass


class _Glimpses:
    """Reads a few bytes here and there of what is in memory. Raises ``_TooManyGlimpses``."""

    def __init__(self, chunks: Sequence[bytes]) -> None:
        self._chunks, self._count = chunks, 0

    def read_at(self, offset: int, length: int) -> bytes:
        self._count += 1
        if self._count > GLIMPSES or length > GLIMPSE_BYTES:
            raise _TooManyGlimpses
        found = b""
        for chunk in self._chunks:
            found += chunk[max(0, offset) : max(0, offset + length)]
            offset -= len(chunk)
            if offset + length <= 0:
                break
        return found


class _CreatedUpload:
    """The store's upload, and the buffer in front of it."""

    def __init__(self, upload: Upload, threads: Threads) -> None:
        self.upload, self._written_bytes = upload, upload.size_bytes
        self.buffer = _buffer_for(upload, threads)

    def write_early(self, chunks: Sequence[bytes], known: hashlib._Hash) -> None:
        """In a thread, before anything else. ``known`` is the checksum of the ``chunks``."""
        try:
            if isinstance(self.upload, FileUpload):
                self.upload.write_hashed(chunks, known)
            else:
                self.upload.write(b"".join(chunks))
        except Exception as error:
            self.buffer.fail(error)
            raise
        self._written_bytes += sum(map(len, chunks))

    @property
    def size_bytes(self) -> int:
        return self._written_bytes + self.buffer.size_bytes


def _buffer_for(upload: Upload, threads: Threads) -> WriteBuffer:
    """The two halves of a file's ``write`` may run at the same time."""
    if isinstance(upload, FileUpload):
        return WriteBuffer(threads, (upload.append, upload.update_checksums), upload)
    return WriteBuffer(threads, (upload.write,))
