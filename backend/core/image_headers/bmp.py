"""BMP: BITMAPCOREHEADER (12 bytes) has 16-bit sides; every later header has 32-bit ones, the height negative where rows go down."""

from __future__ import annotations

from backend.core.image_headers.reader import HeaderReader, Sides
from backend.core.limits import Limits


def read_bmp(file: HeaderReader, limits: Limits) -> Sides:
    if file.number(14, 4, "little") == 12:
        return file.number(18, 2, "little"), file.number(20, 2, "little"), 1
    width, height = (int.from_bytes(file.take(at, 4), "little", signed=True) for at in (18, 22))
    return width, abs(height), 1
