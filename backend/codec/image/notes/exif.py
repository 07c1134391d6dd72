"""The orientation that EXIF declares, read from its bytes alone: CIPA DC-008 §4.6.2 (TIFF header and directory), §4.6.4 A (tag 0x0112)."""

from __future__ import annotations

from backend.codec.image.notes import tiff_fields
from backend.codec.image.notes.tiff_fields import ORIENTATION, NotTiff

PREFIX = b"Exif\0"
"""What stands before the TIFF header where a container keeps JPEG's identifier. One byte more follows, zero as a rule; some leave it out."""
UPRIGHT = 1


def without_prefix(exif: bytes) -> bytes:
    """From the TIFF header on."""
    begins = range(len(PREFIX) + 1, len(PREFIX) - 1, -1) if exif.startswith(PREFIX) else ()
    return next((exif[at:] for at in begins if tiff_fields.is_tiff(exif[at:])), exif)


def orientation(exif: bytes) -> int:
    """1 to 8, from the first directory; 1 where it does not say, or cannot be read."""
    try:
        value = tiff_fields.number(without_prefix(exif), ORIENTATION)
    except NotTiff:
        return UPRIGHT
    return value if value is not None and 1 <= value <= 8 else UPRIGHT
