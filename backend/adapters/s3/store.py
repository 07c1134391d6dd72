"""The store as objects of an S3-compatible service, for many processes on many machines at once.

Bytes on their way in and out pass through a spool folder on this machine's disk: an upload is judged there before anything is sent, an encoder reads
and writes files, and a reader has a copy of its own, which stays readable when the job is erased.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from backend.adapters.files.store import FileStore
from backend.adapters.s3.delivery_records import S3DeliveryRecords
from backend.adapters.s3.housekeeping import S3Housekeeping
from backend.adapters.s3.job_records import S3JobRecords
from backend.adapters.s3.result_files import S3ResultFiles
from backend.adapters.s3.resumable import S3Uploads
from backend.adapters.s3.source_files import S3SourceFiles
from backend.adapters.s3.upload_objects import UploadObjects
from backend.ports.store import Store


class S3Store(S3SourceFiles, S3ResultFiles, S3JobRecords, S3DeliveryRecords, S3Housekeeping):
    """``ports.Store``. It blocks, as the files do."""


def open_store(url: str, files: FileStore) -> Store:
    """As ``adapters.stores`` asks of each adapter; ``files`` is the spool."""
    parts = urlsplit(url)
    return S3Store(parts.netloc, parts.path, files)


def open_uploads(url: str, files: FileStore) -> S3Uploads:
    """As ``adapters.stores`` asks of each adapter; ``files`` is the spool."""
    parts = urlsplit(url)
    return S3Uploads(UploadObjects(parts.netloc, parts.path, files))
