"""Resumable uploads in a dictionary. ``held`` are the ids that somebody has open; a writer that is forgotten without ``close`` was killed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from backend import errors
from backend.core.resumable import UploadInfo, UploadState
from tests.memory.store import MemoryStore, MemoryUpload, drawn


@dataclass
class Kept:
    info: UploadInfo
    state: UploadState
    data: bytes = b""
    wishes: int = 0


@dataclass
class MemoryUploadWriter:
    uploads: MemoryUploads
    kept: Kept
    waiting: bytearray = field(default_factory=bytearray)
    hash: Any = None

    def __post_init__(self) -> None:
        self.info, self._wishes = self.kept.info, self.kept.wishes

    @property
    def state(self) -> UploadState:
        return self.kept.state

    @property
    def position_bytes(self) -> int:
        return self.state.offset_bytes + len(self.waiting)

    def write(self, chunk: bytes) -> None:
        self.uploads.store.check()
        self.waiting += chunk
        if self.hash is not None:
            self.hash.update(chunk)

    def receive_from_fd(self, source_fd: int, most_bytes: int) -> int:
        data = drawn(source_fd, most_bytes)
        self.write(data)
        return len(data)

    def read_head(self, length: int) -> bytes:
        return (self.kept.data + bytes(self.waiting))[:length]

    def start_checksum(self, algorithm: str) -> None:
        self.hash = hashlib.new(algorithm)

    def checksum(self) -> bytes:
        return bytes(self.hash.digest())

    def save(self, now: float) -> None:
        if not self.waiting:
            return
        self._check_there()
        self.kept.data += bytes(self.waiting)
        self.kept.state = self.state.with_offset(len(self.kept.data), now)
        self.waiting.clear()

    def checkpoint(self, now: float) -> None:
        self.save(now)

    def discard_unsaved(self) -> None:
        self.waiting.clear()

    def set_length(self, length_bytes: int, now: float) -> None:
        self._check_there()
        self.kept.state = self.state.with_length(length_bytes, now)

    def is_takeover_requested(self) -> bool:
        return self.kept.wishes != self._wishes or self.info.id not in self.uploads.entries

    def create_upload(self) -> MemoryUpload:
        self._check_there()
        upload = self.uploads.store.create_upload()
        upload.write(self.kept.data)
        return upload

    def mark_as_job(self, now: float) -> None:
        self._check_there()
        self.kept.state = self.state.with_job(now)
        self.kept.data = b""

    def close(self) -> None:
        self.uploads.held.discard(self.info.id)

    def _check_there(self) -> None:
        self.uploads.store.check()
        if self.info.id not in self.uploads.entries:
            raise errors.NotFound()


class MemoryUploads:
    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.entries: dict[str, Kept] = {}
        self.held: set[str] = set()

    def prepare(self) -> None:
        """There is nothing to set up."""

    def create(self, info: UploadInfo, state: UploadState, parts: Sequence[str] = ()) -> bool:
        self.store.check()
        data = b"".join(self._entry(part).data for part in parts)
        if len(data) != state.offset_bytes:
            raise errors.NotFound()
        if info.id in self.entries:
            return False
        self.entries[info.id] = Kept(info, state, data)
        return True

    def find(self, upload_id: str) -> tuple[UploadInfo, UploadState]:
        kept = self._entry(upload_id)
        return kept.info, kept.state

    def open(self, upload_id: str) -> MemoryUploadWriter | None:
        kept = self._entry(upload_id)
        if upload_id in self.held:
            return None
        self.held.add(upload_id)
        return MemoryUploadWriter(self, kept)

    def request_takeover(self, upload_id: str) -> None:
        self._entry(upload_id).wishes += 1

    def erase(self, upload_id: str) -> int:
        kept = self.entries.pop(upload_id, None)
        self.held.discard(upload_id)
        return len(kept.data) if kept else 0

    def all(self) -> Iterator[tuple[UploadInfo, UploadState]]:
        yield from [(kept.info, kept.state) for kept in self.entries.values()]

    def _entry(self, upload_id: str) -> Kept:
        if upload_id not in self.entries:
            raise errors.NotFound(private=upload_id)
        return self.entries[upload_id]
