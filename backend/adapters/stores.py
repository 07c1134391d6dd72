"""Opens the store that an address names, and the resumable uploads in it. Each adapter of a store is a module with ``open_store(url, files)`` and
``open_uploads(url, files)``; ``core.store_schemes`` lists them.

The adapter is loaded only when it is needed, since boto3 is large.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from backend.adapters.blocking_uploads import BlockingUploads
from backend.adapters.files.resumable import FileUploads
from backend.adapters.files.store import FileStore
from backend.core.store_schemes import scheme_of
from backend.ports.store import Store


class Adapter(Protocol):
    """A module of a store. ``files`` is a store in a folder of this machine. A remote store keeps bytes on their way there (its ``create_upload``,
    ``new_path``)."""

    def open_store(self, url: str, files: FileStore) -> Store: ...

    def open_uploads(self, url: str, files: FileStore) -> BlockingUploads:
        """In the store that ``open_store`` opens: a complete upload becomes a job there."""


def open_store(url: str | None, folder: Path, *, min_free_bytes: int) -> Store:
    """Without ``url``, ``folder`` is the store. It keeps ``min_free_bytes`` free. Connects to nothing."""
    files = FileStore(folder, min_free_bytes=min_free_bytes)
    return files if url is None else _adapter(url).open_store(url, files)


def open_uploads(url: str | None, folder: Path, *, min_free_bytes: int) -> BlockingUploads:
    """As ``open_store``, which prepares the folder."""
    files = FileStore(folder, min_free_bytes=min_free_bytes)
    return FileUploads(folder) if url is None else _adapter(url).open_uploads(url, files)


def _adapter(url: str) -> Adapter:
    scheme = scheme_of(url)
    assert scheme is not None, "the settings accept no other address"
    return cast(Adapter, import_module(f"backend.adapters.{scheme.adapter}"))
