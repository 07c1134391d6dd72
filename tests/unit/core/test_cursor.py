"""Where a list goes on."""

from __future__ import annotations

import pytest

from backend.core import cursor

ID = "4k6Zr0m1x8uQyB5w2TnHcA"


@pytest.mark.parametrize("created_at", [0.5, 1795242000.0, 1795242000.123456, 1795242000.1234567])
def test_a_place_survives_its_writing(created_at: float) -> None:
    assert cursor.read(cursor.write((created_at, ID))) == (created_at, ID)


@pytest.mark.parametrize("text", ["x", "\u00e4", cursor.write((1.5, ID))[:-3], cursor.write((1.5, "../../etc")), "1.5~" + "x" * 21, "1.5~../x"])
def test_what_was_not_written_here_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        cursor.read(text)
