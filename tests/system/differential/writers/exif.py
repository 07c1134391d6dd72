"""A TIFF block that says how a picture is turned, and nothing more (Exif 2.32, 4.6.4)."""

from __future__ import annotations

import struct


def orientation(value: int, order: str = ">") -> bytes:
    mark = b"MM" if order == ">" else b"II"
    return mark + struct.pack(f"{order}HIHHHIHHI", 42, 8, 1, 0x0112, 3, 1, value, 0, 0)
