"""The objects of resumable uploads in a bucket, and how a record is changed by one writer at a time.

::

    <prefix>/uploads/<id>/upload.json       what was announced, how far it is, its pieces (``upload_record``)
    <prefix>/uploads/<id>/piece-<random>    bytes that came together

A record is only replaced while it is the one that the writer has read (``If-Match``). Pieces are put before the record that names them, and are
deleted after one that does not: whoever dies in between leaves an object that no record names, which ``delete_orphan_pieces`` removes.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, BinaryIO

from backend import errors
from backend.adapters.s3.bucket import Changed
from backend.adapters.s3.store_objects import StoreObjects
from backend.adapters.s3.upload_record import Piece, UploadRecord

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectTypeDef

log = logging.getLogger(__name__)
RECORD, PIECE = "upload.json", "piece-"


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as it was found."""

    record: UploadRecord
    etag: str


class UploadObjects(StoreObjects):
    def load_record(self, upload_id: str) -> Stored:
        """Raises ``NotFound``."""
        text, etag = self.bucket.get_with_etag(self.upload_key(upload_id, RECORD))
        return Stored(UploadRecord.from_json(text), etag)

    def replace_record(self, known: Stored, record: UploadRecord) -> Stored | None:
        """``record`` in the place of ``known``; None where another was faster. Raises ``NotFound`` when the upload was erased."""
        upload_id = record.info.id
        try:
            return Stored(record, self.bucket.swap(self.upload_key(upload_id, RECORD), record.to_json(), known.etag))
        except Changed:
            found = self.load_record(upload_id)
        if found.record.info != record.info:
            raise errors.NotFound(private=f"upload {upload_id} was erased and made anew")
        return found if found.record == record else None

    def put_piece(self, upload_id: str, file: BinaryIO, size_bytes: int) -> Piece:
        piece = Piece(new_piece_name(), size_bytes)
        self.bucket.put_file(self.upload_key(upload_id, piece.name), file)
        return piece

    def copy_piece(self, from_id: str, piece: Piece, upload_id: str) -> Piece:
        """Inside the service. Raises ``NotFound``."""
        copied = Piece(new_piece_name(), piece.size_bytes)
        self.bucket.copy(self.upload_key(from_id, piece.name), self.upload_key(upload_id, copied.name), errors.NotFound)
        return copied

    def read_bytes(self, record: UploadRecord, begin_bytes: int, end_bytes: int) -> Iterator[bytes]:
        """Raises ``NotFound`` for a piece that is not there any more: the record is an old one."""
        for name, first_byte, size_bytes in record.spans(begin_bytes, end_bytes):
            yield from self.bucket.read(self.upload_key(record.info.id, name), first_byte, size_bytes)

    def delete_pieces(self, upload_id: str, pieces: Iterable[Piece]) -> None:
        """As far as that is possible now: what stays is an orphan."""
        try:
            self.bucket.delete([self.upload_key(upload_id, each.name) for each in pieces])
        except errors.GatewayError as error:
            log.info("pieces of the upload %s are deleted later: %s", upload_id, error.private)

    def delete_all_pieces(self, upload_id: str) -> None:
        """As ``delete_pieces``, with those that a killed writer left."""
        try:
            self.bucket.delete([each["Key"] for each in self.bucket.objects(self.upload_key(upload_id, PIECE))])
        except errors.GatewayError as error:
            log.info("pieces of the upload %s are deleted later: %s", upload_id, error.private)

    def delete_orphan_pieces(self, older_than_s: float) -> int:
        """Delete old pieces that no record names; the bytes freed. The listing is sorted, so the objects of one upload stand together."""
        uploads = groupby(self.bucket.objects(f"{self.prefix}uploads/"), key=lambda each: each["Key"].split("/")[-2])
        return sum(self._delete_orphans(upload_id, list(found), older_than_s) for upload_id, found in uploads)

    def _delete_orphans(self, upload_id: str, found: list[ObjectTypeDef], older_than_s: float) -> int:
        now = time.time()
        old = [each for each in found if _name(each).startswith(PIECE) and now - each["LastModified"].timestamp() > older_than_s]
        if not old:
            return 0
        try:
            known = {each.name for each in self.load_record(upload_id).record.pieces}
        except errors.NotFound:
            known = set()
        doomed = [each for each in old if _name(each) not in known]
        self.bucket.delete([each["Key"] for each in doomed])
        return sum(each["Size"] for each in doomed)


def _name(each: ObjectTypeDef) -> str:
    return each["Key"].rpartition("/")[2]


def new_piece_name() -> str:
    return f"{PIECE}{secrets.token_hex(8)}"
