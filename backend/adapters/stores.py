"""Which store an address means: ``s3://bucket/prefix``, or a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from backend.adapters.files.store import FileStore

if TYPE_CHECKING:
    from backend.adapters.s3_store import S3Store


def open_store(url: str | None, folder: Path, *, min_free_bytes: int) -> FileStore | S3Store:
    """``folder`` is the store itself, or what passes through on its way to S3. boto3 is loaded only where it is needed."""
    files = FileStore(folder, min_free_bytes=min_free_bytes)
    if url is None or not url.startswith("s3://"):
        return files
    from backend.adapters.s3_store import S3Store

    parts = urlsplit(url)
    return S3Store(parts.netloc, parts.path, files)
