"""TIFF 6.0 §2: the first image file directory. Only the first page is converted."""

from __future__ import annotations

from backend import errors
from backend.core.image_headers.reader import HeaderReader, Sides
from backend.core.limits import Limits

_FIELD_BYTES = {1: 1, 3: 2, 4: 4}
"""By field type: BYTE, SHORT, LONG."""
_WIDTH, _LENGTH = 256, 257


def read_tiff(file: HeaderReader, limits: Limits) -> Sides:
    order = "little" if file.take(0, 2) == b"II" else "big"
    at = file.number(4, 4, order)
    count = file.number(at, 2, order)
    sides: dict[int, int] = {}
    for entry in range(at + 2, at + 2 + 12 * min(count, 4096), 12):
        tag, kind = file.number(entry, 2, order), file.number(entry + 2, 2, order)
        if tag in (_WIDTH, _LENGTH) and kind in _FIELD_BYTES:
            sides[tag] = file.number(entry + 8, _FIELD_BYTES[kind], order)
        if len(sides) == 2:
            return sides[_WIDTH], sides[_LENGTH], 1
    raise errors.DamagedImage(private="TIFF: the first directory has no size")
