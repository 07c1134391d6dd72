"""The table of what libraries add to forms: it never hides an option."""

from __future__ import annotations

import difflib

import pytest

from backend.core import form_fields, options


@pytest.mark.parametrize("name", sorted(form_fields.PASSED_OVER | set(form_fields.PIECES)))
def test_no_row_is_an_option_nor_a_slip_of_one(name: str) -> None:
    """``_method`` (Laravel, Rails) and names of file names come near one, and are sent all the same."""
    assert name not in options.schema()
    is_known = name == "_method" or "filename" in name.lower()
    assert is_known or difflib.get_close_matches(name, options.schema(), cutoff=0.84) == []


def test_every_option_is_one() -> None:
    assert all(form_fields.is_option(name) for name in options.schema())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bytes 0-9/10", False),
        ("bytes 0-9/11", True),
        ("bytes 1-9/10", True),
        ("bytes 0-9/*", True),
        ("bytes */10", False),
        ("", False),
        ("x 0-9/99", False),
    ],
)
def test_a_content_range_says_whether_it_is_a_piece(text: str, expected: bool) -> None:
    assert form_fields.is_piece_range(text) is expected
