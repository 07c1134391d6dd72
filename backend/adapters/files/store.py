"""The store as a folder on one file system, for many processes at once.

A file becomes visible by a rename or a link, after it was synced, and the folder is synced after that. So a crash leaves a thing whole or not at
all. What a second process must not repeat is done by an operation that only succeeds once: a rename onto a name that is free, a link.
"""

from __future__ import annotations

from backend.adapters.files.delivery_records import FileDeliveryRecords
from backend.adapters.files.housekeeping import FileHousekeeping
from backend.adapters.files.job_records import FileJobRecords
from backend.adapters.files.result_files import FileResultFiles
from backend.adapters.files.resumable import FileUploads
from backend.adapters.files.source_files import FileSourceFiles
from backend.ports.store import Store


class FileStore(FileSourceFiles, FileResultFiles, FileJobRecords, FileDeliveryRecords, FileHousekeeping):
    """``ports.Store``."""


def open_store(_url: str, files: FileStore) -> Store:
    """As ``adapters.stores`` asks of each adapter."""
    return files


def open_uploads(_url: str, files: FileStore) -> FileUploads:
    """As ``adapters.stores`` asks of each adapter."""
    return FileUploads(files.root)
