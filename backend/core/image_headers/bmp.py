"""BMP: BITMAPFILEHEADER, whose 14 bytes say where the pixels begin, and a DIB."""

from __future__ import annotations

from backend.core.image_headers.dib import Dib, read_dib
from backend.core.image_headers.reader import HeaderReader, Sides
from backend.core.limits import Limits

_HEADER_BYTES = 14


def read_bmp(file: HeaderReader, limits: Limits) -> Sides:
    dib = bmp_dib(file)
    return dib.width, dib.height, 1


def bmp_dib(file: HeaderReader) -> Dib:
    """Raises ``DamagedImage`` and ``UnsupportedFormat``. Pixels that would begin within the file's header follow the DIB's."""
    pixels_at = file.number(10, 4, "little")
    return read_dib(file, _HEADER_BYTES, pixels_at if pixels_at > _HEADER_BYTES else None)
