"""Which objects hold which bytes of an upload, and how its record is read by another version."""

from __future__ import annotations

import json

import pytest

from backend.adapters.s3.upload_record import MERGED_BYTES, Piece, UploadRecord
from backend.core.options import Options
from backend.core.resumable import UploadInfo, UploadState

INFO = UploadInfo("upload", "job", Options(quality=50), "我.png", "filename YQ==")


def record(*sizes: int) -> UploadRecord:
    return UploadRecord(INFO, UploadState(1.0, sum(sizes), 10**9), tuple(Piece(f"piece-{number}", size) for number, size in enumerate(sizes)))


def test_a_record_is_read_as_it_was_written_and_what_is_new_in_it_is_left_out() -> None:
    known = record(3, 4)
    assert UploadRecord.from_json(known.to_json().encode()) == known
    newer = json.loads(known.to_json()) | {"colour": "red"}
    newer["state"]["mood"] = "good"
    assert UploadRecord.from_json(json.dumps(newer).encode()) == known


@pytest.mark.parametrize(
    ("begin", "end", "spans"),
    [
        (0, 9, [("piece-0", 0, 2), ("piece-1", 0, 3), ("piece-2", 0, 4)]),
        (1, 3, [("piece-0", 1, 1), ("piece-1", 0, 1)]),
        (5, 9, [("piece-2", 0, 4)]),
        (2, 2, []),
        (8, 20, [("piece-2", 3, 1)]),
    ],
)
def test_the_bytes_of_an_upload_are_found_in_its_pieces(begin: int, end: int, spans: list[tuple[str, int, int]]) -> None:
    assert record(2, 3, 4).spans(begin, end) == spans


@pytest.mark.parametrize(
    ("sizes", "new_bytes", "begin"),
    [
        ((), 5, 0),
        ((5,), 5, 0),
        ((6,), 5, 6),
        ((8, 4, 2), 2, 0),
        ((MERGED_BYTES + 1, MERGED_BYTES), MERGED_BYTES, MERGED_BYTES + 1),
        ((MERGED_BYTES + 1,), 9 * MERGED_BYTES, MERGED_BYTES + 1),
    ],
)
def test_a_piece_takes_in_those_before_it_that_are_no_larger(sizes: tuple[int, ...], new_bytes: int, begin: int) -> None:
    assert record(*sizes).merge_from(new_bytes) == begin


def test_an_upload_of_very_many_small_pieces_has_a_short_list_and_puts_each_byte_a_few_times() -> None:
    known, put_bytes = record(), 0
    for number in range(20_000):
        begin_bytes = known.merge_from(1000)
        piece = Piece(f"piece-{number}", known.state.offset_bytes + 1000 - begin_bytes)
        put_bytes += piece.size_bytes
        known = known.with_piece(piece, begin_bytes, 2.0)
    assert known.state.offset_bytes == sum(each.size_bytes for each in known.pieces) == 20_000_000
    assert len(known.pieces) <= 30 and put_bytes < 12 * 20_000_000
