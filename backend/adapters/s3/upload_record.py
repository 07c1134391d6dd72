"""The record of a resumable upload in a bucket: what was announced, how far it is, and the objects that hold its bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from backend.core import records
from backend.core.resumable import UploadInfo, UploadState

MERGED_BYTES = 1 << 20
"""Pieces up to this size are put together, so that a client that sends a few bytes at a time leaves no list of thousands."""


@dataclass(frozen=True, slots=True)
class Piece:
    """So many bytes in the object of this name."""

    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class UploadRecord:
    """``pieces`` hold the upload's bytes in order; none once they are a job's source."""

    info: UploadInfo
    state: UploadState
    pieces: tuple[Piece, ...] = ()

    def with_state(self, state: UploadState) -> UploadRecord:
        return replace(self, state=state, pieces=() if state.has_job else self.pieces)

    def with_piece(self, piece: Piece, begin_bytes: int, now: float) -> UploadRecord:
        """With ``piece`` in the place of all that lie behind ``begin_bytes``."""
        kept, at_bytes = [], 0
        for each in self.pieces:
            if at_bytes >= begin_bytes:
                break
            kept.append(each)
            at_bytes += each.size_bytes
        return replace(self, state=self.state.with_offset(begin_bytes + piece.size_bytes, now), pieces=(*kept, piece))

    def merge_from(self, new_bytes: int) -> int:
        """Where a piece should begin that brings ``new_bytes``: with the small ones before it, so that none is put again more often than a few times.

        As in a binary counter: a piece takes in those before it that are no larger than itself.
        """
        begin_bytes, size_bytes = self.state.offset_bytes, new_bytes
        for each in reversed(self.pieces):
            if each.size_bytes > min(size_bytes, MERGED_BYTES):
                break
            begin_bytes -= each.size_bytes
            size_bytes += each.size_bytes
        return begin_bytes

    def spans(self, begin_bytes: int, end_bytes: int) -> list[tuple[str, int, int]]:
        """Which bytes of which objects are those of the upload from ``begin_bytes`` to ``end_bytes``: name, first byte, number of bytes."""
        found, at_bytes = [], 0
        for each in self.pieces:
            first, last = max(begin_bytes, at_bytes), min(end_bytes, at_bytes + each.size_bytes)
            if first < last:
                found.append((each.name, first - at_bytes, last - first))
            at_bytes += each.size_bytes
        return found

    def dropped(self, newer: UploadRecord) -> Sequence[Piece]:
        """The pieces that ``newer`` has no more."""
        return [each for each in self.pieces if each not in newer.pieces]

    def to_json(self) -> str:
        pieces = [[each.name, each.size_bytes] for each in self.pieces]
        return records.as_json({"info": json.loads(self.info.to_json()), "state": self.state, "pieces": pieces})

    @classmethod
    def from_json(cls, text: bytes) -> UploadRecord:
        """Raises ``ValueError``, ``TypeError`` and ``KeyError`` for what is no such record. What a newer version added is left out."""
        record = json.loads(text)
        state = {name: record["state"][name] for name in ("touched_at", "offset_bytes", "length_bytes", "has_job")}
        pieces = tuple(Piece(str(name), int(size_bytes)) for name, size_bytes in record["pieces"])
        return cls(UploadInfo.from_json(json.dumps(record["info"])), UploadState(**state), pieces)
