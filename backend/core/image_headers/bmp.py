"""BMP: BITMAPFILEHEADER, whose 14 bytes say where the pixels begin, and a DIB."""

from __future__ import annotations

from backend.core.image_headers.dib import Dib, read_dib
from backend.core.image_headers.reader import HeaderReader, Sides
from backend.core.limits import Limits

_HEADER_BYTES = 14
_V5_BYTES, _SPACE_AT, _PROFILE_AT = 124, 56, 112
_PROFILE_EMBEDDED = b"DEBM"
_MAX_PROFILE_BYTES = 16 << 20
"""A table for printing in CMYK takes 2 MiB."""


def read_bmp(file: HeaderReader, limits: Limits) -> Sides:
    dib = bmp_dib(file)
    return dib.width, dib.height, 1


def bmp_dib(file: HeaderReader) -> Dib:
    """Raises ``DamagedImage`` and ``UnsupportedFormat``. Pixels that would begin within the file's header follow the DIB's."""
    pixels_at = file.number(10, 4, "little")
    return read_dib(file, _HEADER_BYTES, pixels_at if pixels_at > _HEADER_BYTES else None)


def bmp_profile(file: HeaderReader) -> bytes:
    """BITMAPV5HEADER: the ICC profile whose place is counted from the DIB on. Empty where none is embedded, or not all of it."""
    if file.size_bytes < _HEADER_BYTES + _V5_BYTES or file.number(_HEADER_BYTES, 4, "little") < _V5_BYTES:
        return b""
    at = _HEADER_BYTES + file.number(_HEADER_BYTES + _PROFILE_AT, 4, "little")
    length = file.number(_HEADER_BYTES + _PROFILE_AT + 4, 4, "little")
    if file.take(_HEADER_BYTES + _SPACE_AT, 4) != _PROFILE_EMBEDDED or length > _MAX_PROFILE_BYTES or at + length > file.size_bytes:
        return b""
    return file.take(at, length)
