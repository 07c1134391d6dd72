"""The orientation that EXIF declares, read from its bytes alone: EXIF 2.32 §4.6.2 (TIFF header and IFD), §4.6.4 A (tag 0x0112)."""

from __future__ import annotations

PREFIX = b"Exif\0"
"""What stands before the TIFF header where a container keeps JPEG's identifier. One byte more follows, zero as a rule; some leave it out."""
ORIENTATION = 0x0112
UPRIGHT = 1
_ORDERS = {b"II*\0": "little", b"MM\0*": "big"}
_FIELD_BYTES = {1: 1, 3: 2, 4: 4, 6: 1, 7: 1, 8: 2, 9: 4}
"""Whole numbers by field type: the standard demands SHORT, and some writers use others."""
_ENTRY_BYTES = 12


def without_prefix(exif: bytes) -> bytes:
    """From the TIFF header on."""
    begins = range(len(PREFIX) + 1, len(PREFIX) - 1, -1) if exif.startswith(PREFIX) else ()
    return next((exif[at:] for at in begins if exif[at : at + 4] in _ORDERS), exif)


def orientation(exif: bytes) -> int:
    """1 to 8, from the first directory; 1 where it does not say, or cannot be read."""
    tiff = without_prefix(exif)
    order = _ORDERS.get(tiff[:4])
    if order is None:
        return UPRIGHT
    value = _first_directory_number(tiff, order, ORIENTATION)
    return value if value is not None and 1 <= value <= 8 else UPRIGHT


def _first_directory_number(tiff: bytes, order: str, wanted: int) -> int | None:
    """The first entry of that tag. Its value stands in the entry itself. A directory that is cut off is read as far as it goes."""
    at = _number(tiff, 4, 4, order)
    first = at + 2
    end = min(first + _ENTRY_BYTES * _number(tiff, at, 2, order), len(tiff))
    for entry in range(first, end - _ENTRY_BYTES + 1, _ENTRY_BYTES):
        if _number(tiff, entry, 2, order) == wanted:
            length = _FIELD_BYTES.get(_number(tiff, entry + 2, 2, order))
            return None if length is None else _number(tiff, entry + 8, length, order)
    return None


def _number(data: bytes, at: int, length: int, order: str) -> int:
    return int.from_bytes(data[at : at + length], "little" if order == "little" else "big")
