"""Resumable uploads as each store has them: their calls block, and what is written goes to a file of this machine first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from backend.adapters.files.append_file import AppendFile
from backend.core.resumable import UploadInfo, UploadState
from backend.ports.resumable import Listed, UploadWriter


class BlockingWriter(UploadWriter, Protocol):
    """A store's own writer: what is written goes to ``data`` first."""

    @property
    def data(self) -> AppendFile: ...


class BlockingUploads(Protocol):
    """A store's own uploads: ``ports.Uploads``, with such writers."""

    def prepare(self) -> None: ...

    def create(self, info: UploadInfo, state: UploadState, parts: Sequence[str] = ()) -> bool: ...

    def find(self, upload_id: str) -> tuple[UploadInfo, UploadState]: ...

    def open(self, upload_id: str) -> BlockingWriter | None: ...

    def request_takeover(self, upload_id: str) -> None: ...

    def erase(self, upload_id: str) -> int: ...

    def page(self, after: str, most: int) -> list[Listed]: ...
