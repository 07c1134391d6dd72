"""Resumable uploads as objects of an S3-compatible service: any machine takes the next bytes, and there is no lock that a dead one could hold.

Several writers of one upload may be open at once (``upload_writer`` has what happens then). ``upload_objects`` has where each thing lies.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import islice

from backend import errors
from backend.adapters.s3.bucket import AlreadyExists
from backend.adapters.s3.upload_objects import RECORD, UploadObjects
from backend.adapters.s3.upload_record import Piece, UploadRecord
from backend.adapters.s3.upload_writer import S3UploadWriter
from backend.core.resumable import UploadInfo, UploadState
from backend.ports.resumable import Listed

log = logging.getLogger(__name__)


class S3Uploads:
    """Safe for many processes on many machines."""

    def __init__(self, objects: UploadObjects) -> None:
        self._objects, self.bucket = objects, objects.bucket

    def prepare(self) -> None:
        """A bucket needs nothing."""

    def create(self, info: UploadInfo, state: UploadState, parts: Sequence[str] = ()) -> bool:
        pieces = self._copy_parts(info.id, 0 if state.has_job else state.offset_bytes, parts)
        try:
            self._objects.bucket.put_new(self._objects.upload_key(info.id, RECORD), UploadRecord(info, state, pieces).to_json(), {})
        except AlreadyExists:
            self._objects.delete_pieces(info.id, pieces)
            return False
        return True

    def _copy_parts(self, upload_id: str, size_bytes: int, parts: Sequence[str]) -> tuple[Piece, ...]:
        copied: list[Piece] = []
        try:
            for part in parts:
                copied += [self._objects.copy_piece(part, each, upload_id) for each in self._objects.load_record(part).record.pieces]
            if sum(each.size_bytes for each in copied) != size_bytes:
                raise errors.NotFound(private="a part is not complete")
        except BaseException:
            self._objects.delete_pieces(upload_id, copied)
            raise
        return tuple(copied)

    def find(self, upload_id: str) -> tuple[UploadInfo, UploadState]:
        record = self._objects.load_record(upload_id).record
        return record.info, record.state

    def open(self, upload_id: str) -> S3UploadWriter:
        writer = S3UploadWriter(self._objects, self._objects.load_record(upload_id))
        try:
            writer.open_data()
        except BaseException:
            writer.close()
            raise
        return writer

    def request_takeover(self, upload_id: str) -> None:
        """Nothing is locked. Raises ``NotFound``."""
        self._objects.load_record(upload_id)

    def erase(self, upload_id: str) -> int:
        """The record first: without it there is no upload, and whoever writes to it notices with the next save."""
        record_key = self._objects.upload_key(upload_id, RECORD)
        found = {each["Key"]: each["Size"] for each in self._objects.bucket.objects(self._objects.upload_key(upload_id, ""))}
        self._objects.bucket.delete(sorted(found, key=lambda key: key != record_key))
        return sum(found.values())

    def page(self, after: str, most: int) -> list[Listed]:
        start = self._objects.upload_key(after, RECORD) if after else ""
        found = (each for each in self._objects.bucket.objects(f"{self._objects.prefix}uploads/", start) if each["Key"].endswith(f"/{RECORD}"))
        return [Listed(each["Key"].split("/")[-2], each["ETag"]) for each in islice(found, most)]
