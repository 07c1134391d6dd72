"""Opens the store that an address names. Each adapter of a store is a module with ``open_store(url, files)``; ``core.store_schemes`` lists them.

The adapter is loaded only when it is needed, since boto3 is large.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from backend.adapters.files.store import FileStore
from backend.core.store_schemes import scheme_of
from backend.ports.store import Store


class Adapter(Protocol):
    """A module of a store."""

    def open_store(self, url: str, files: FileStore) -> Store:
        """``files`` is a store in a folder of this machine. A remote store keeps bytes on their way there (its ``create_upload``, ``new_path``)."""


def open_store(url: str | None, folder: Path, *, min_free_bytes: int) -> Store:
    """Without ``url``, ``folder`` is the store. It keeps ``min_free_bytes`` free. Connects to nothing."""
    files = FileStore(folder, min_free_bytes=min_free_bytes)
    if url is None:
        return files
    scheme = scheme_of(url)
    assert scheme is not None, "the settings accept no other address"
    return cast(Adapter, import_module(f"backend.adapters.{scheme.adapter}")).open_store(url, files)
