"""Resumable uploads in a dictionary. ``locked`` are the ids that somebody has open. A writer that is never closed stands for a killed process."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from backend import errors
from backend.core.resumable import UploadInfo, UploadState
from backend.ports.resumable import Listed, Uploads
from tests.fakes.store import MemoryStore, MemoryUpload, read_socket


@dataclass
class Entry:
    info: UploadInfo
    state: UploadState
    data: bytes = b""
    takeover_requests: int = 0


@dataclass
class MemoryUploadWriter:
    uploads: MemoryUploads
    entry: Entry
    unsaved: bytearray = field(default_factory=bytearray)
    running: Any = None

    def __post_init__(self) -> None:
        self.info, self._known_requests = self.entry.info, self.entry.takeover_requests

    @property
    def state(self) -> UploadState:
        return self.entry.state

    @property
    def position_bytes(self) -> int:
        return self.state.offset_bytes + len(self.unsaved)

    def write(self, chunk: bytes) -> None:
        self.uploads.store.check()
        self.unsaved += chunk
        if self.running is not None:
            self.running.update(chunk)

    def receive_from_fd(self, source_fd: int, most_bytes: int) -> int:
        data = read_socket(source_fd, most_bytes)
        self.write(data)
        return len(data)

    def read_head(self, length: int) -> bytes:
        return (self.entry.data + bytes(self.unsaved))[:length]

    def start_checksum(self, algorithm: str) -> None:
        self.running = hashlib.new(algorithm)

    def checksum(self) -> bytes:
        return bytes(self.running.digest())

    def save(self, now: float) -> None:
        if not self.unsaved:
            return
        self._check_there()
        self.entry.data += bytes(self.unsaved)
        self.entry.state = self.state.with_offset(len(self.entry.data), now)
        self.unsaved.clear()

    def checkpoint(self, now: float) -> None:
        self.save(now)

    def discard_unsaved(self) -> None:
        self.unsaved.clear()

    def set_length(self, length_bytes: int, now: float) -> None:
        self._check_there()
        self.entry.state = self.state.with_length(length_bytes, now)

    def is_takeover_requested(self) -> bool:
        return self.entry.takeover_requests != self._known_requests or self.info.id not in self.uploads.entries

    def create_upload(self) -> MemoryUpload:
        self._check_there()
        upload = self.uploads.store.create_upload()
        upload.write(self.entry.data)
        return upload

    def mark_as_job(self, now: float) -> None:
        self._check_there()
        self.entry.state = self.state.with_job(now)
        self.entry.data = b""

    def close(self) -> None:
        self.uploads.locked.discard(self.info.id)

    def _check_there(self) -> None:
        self.uploads.store.check()
        if self.info.id not in self.uploads.entries:
            raise errors.NotFound()


class MemoryUploads:
    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.entries: dict[str, Entry] = {}
        self.locked: set[str] = set()

    def prepare(self) -> None:
        """There is nothing to set up."""

    def create(self, info: UploadInfo, state: UploadState, parts: Sequence[str] = ()) -> bool:
        self.store.check()
        data = b"".join(self._entry(part).data for part in parts)
        if not state.has_job and len(data) != state.offset_bytes:
            raise errors.NotFound()
        if info.id in self.entries:
            return False
        self.entries[info.id] = Entry(info, state, data)
        return True

    def find(self, upload_id: str) -> tuple[UploadInfo, UploadState]:
        entry = self._entry(upload_id)
        return entry.info, entry.state

    def open(self, upload_id: str) -> MemoryUploadWriter | None:
        entry = self._entry(upload_id)
        if upload_id in self.locked:
            return None
        self.locked.add(upload_id)
        return MemoryUploadWriter(self, entry)

    def request_takeover(self, upload_id: str) -> None:
        self._entry(upload_id).takeover_requests += 1

    def erase(self, upload_id: str) -> int:
        entry = self.entries.pop(upload_id, None)
        self.locked.discard(upload_id)
        return len(entry.data) if entry else 0

    def page(self, after: str, most: int) -> list[Listed]:
        return [Listed(each, repr(self.entries[each].state)) for each in sorted(self.entries) if each > after][:most]

    def _entry(self, upload_id: str) -> Entry:
        if upload_id not in self.entries:
            raise errors.NotFound(private=upload_id)
        return self.entries[upload_id]


def every_upload(uploads: Uploads) -> list[tuple[UploadInfo, UploadState]]:
    """In the order of their ids."""
    return [uploads.find(each.id) for each in uploads.page("", 10_000)]
