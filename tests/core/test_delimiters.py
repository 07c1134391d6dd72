"""What of a form's part is surely the part's, wherever its bytes are cut."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from backend.core.delimiters import sure_bytes

MARK = b"--ab"
pieces = st.lists(st.sampled_from([b"\r", b"\n", b"-", b"--", b"a", b"b", b"x", MARK, b"\r\n" + MARK]), max_size=30).map(b"".join)


@given(pieces, pieces)
@example(b"x\r\n--a", b"b")
@example(b"x\r", b"\n--ab")
@example(b"x--ab", b"")
def test_no_delimiter_is_given_away_whatever_comes_next(now: bytes, later: bytes) -> None:
    sure = sure_bytes(now, len(now), MARK)
    delimiter = re.search(rb"\r?\n" + MARK, now + later)
    assert sure <= len(now)
    assert delimiter is None or sure <= delimiter.start()


@given(pieces)
def test_little_is_held_back_where_no_mark_stands(data: bytes) -> None:
    sure = sure_bytes(data, len(data), MARK)
    if MARK not in data:
        assert len(data) - sure <= len(MARK) + 2
        assert sure == len(data) or data[sure : sure + 1] in (b"\r", b"\n")


def test_what_lies_beyond_the_size_is_not_looked_at() -> None:
    assert sure_bytes(b"xxxx\r\n--ab", 4, MARK) == 4
