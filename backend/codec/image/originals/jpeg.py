"""JPEG: tables, frame, scans, the colour profile and the orientation. All other application segments go, and what follows the image."""

from __future__ import annotations

import re

from backend.codec.image.notes import exif, tiff_fields
from backend.codec.image.notes.tiff_fields import ORIENTATION, SHORT, Field
from backend.core.image_headers import jpeg
from backend.core.image_headers.reader import HeaderReader

_APPS, _COMMENT = range(0xE0, 0xF0), 0xFE
_JFIF, _EXIF = b"JFIF\0", b"Exif\0"
_KEPT = {0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
"""Application segments that decide how colours look, by marker (ICC.1:2022 B.4; Adobe's tells RGB from YCbCr, CMYK from YCCK)."""
_JFIF_BYTES_BEFORE_THUMBNAIL = 12
_MARKER_IN_SCANS = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
"""Within coded data, a byte 0xFF is followed by zero, or is a restart marker (ISO/IEC 10918-1 B.1.1.5)."""


def jpeg_parts(data: memoryview) -> list[bytes | memoryview] | None:
    """None where the image's end cannot be found. Of several EXIF segments the first counts. Raises ``DamagedImage``."""
    parts: list[bytes | memoryview] = [data[:2]]
    has_exif = False
    for segment in jpeg.segments(HeaderReader(lambda at, length: bytes(data[at : at + length]), len(data))):
        begin, end = segment.at - 4, segment.at + segment.length
        if segment.marker == jpeg.START_OF_SCAN:
            scans = _scans(data, begin)
            return [*parts, *scans] if scans else None
        is_exif = segment.marker == 0xE1 and data[segment.at : segment.at + len(_EXIF)] == _EXIF
        parts += [] if is_exif and has_exif else _kept(segment.marker, data[begin:end])
        has_exif |= is_exif
    return None


def _kept(marker: int, segment: memoryview) -> list[bytes | memoryview]:
    contents = bytes(segment[4:])
    if marker == 0xE0 and contents.startswith(_JFIF):
        return [_segment(marker, contents[:_JFIF_BYTES_BEFORE_THUMBNAIL] + b"\0\0")]
    if marker == 0xE1 and contents.startswith(_EXIF):
        return _orientation(marker, contents)
    is_note = marker in _APPS or marker == _COMMENT
    return [] if is_note and not (marker in _KEPT and contents.startswith(_KEPT[marker])) else [segment]


def _orientation(marker: int, contents: bytes) -> list[bytes | memoryview]:
    """EXIF with nothing but the orientation, where there is one."""
    value = exif.orientation(contents)
    if value == exif.UPRIGHT:
        return []
    return [_segment(marker, _EXIF + b"\0" + tiff_fields.block_of([Field(ORIENTATION, SHORT, 1, value.to_bytes(2, "little"))]))]


def _segment(marker: int, contents: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(contents) + 2).to_bytes(2, "big") + contents


def _scans(data: memoryview, begin: int) -> list[bytes | memoryview]:
    """From the first scan's header to the end of the image; empty where there is none."""
    parts: list[bytes | memoryview] = []
    at = begin
    while found := _MARKER_IN_SCANS.search(data, at):
        marker = found[1][0]
        if marker == jpeg.END_OF_IMAGE:
            return [*parts, data[begin : found.end()]]
        at = found.end() + (int.from_bytes(data[found.end() : found.end() + 2], "big") if marker != 0x01 else 0)
        if marker in _APPS or marker == _COMMENT:
            parts.append(data[begin : found.start()])
            begin = at
    return []
