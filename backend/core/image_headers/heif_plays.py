"""How often an AVIF sequence plays: ISO/IEC 14496-12 §8.3.2 (tkhd) and §8.6.6 (elst), as libavif and Chromium take them."""

from __future__ import annotations

from backend import errors
from backend.core.image_headers.heif_boxes import Span, box_at
from backend.core.image_headers.reader import HeaderReader, ReadAt

FOR_EVER, ONCE = 0, 1
MOST_PLAYS = 0xFFFF
"""A WebP file can say no more (RFC 9649 §2.7.1.1)."""
MOST_COUNTED = 1 << 31
"""Chromium takes more for ever."""
_REPEATS = 1


def avif_plays(read_at: ReadAt, size_bytes: int) -> int:
    """0 for ever, which is what a track without an edit list means, or a file whose boxes cannot be walked."""
    file = HeaderReader(read_at, size_bytes)
    try:
        track = box_at(file, (0, size_bytes), b"moov", b"trak")
        edits = box_at(file, track, b"edts")
        return _plays_by_edits(file, track, edits) if edits[1] else FOR_EVER
    except errors.DamagedImage:
        return FOR_EVER


def _plays_by_edits(file: HeaderReader, track: Span, edits: Span) -> int:
    """A list that repeats holds the track's media as often as its duration has room for, the last time perhaps in part."""
    at = box_at(file, edits, b"elst")[0]
    if not at or not file.number(at + 1, 3) & _REPEATS:
        return ONCE
    segment = file.number(at + 8, 8 if file.number(at, 1) else 4)
    duration, is_endless = _track_duration(file, box_at(file, track, b"tkhd")[0])
    plays = -(-duration // segment) if segment else ONCE
    return FOR_EVER if is_endless or plays > MOST_COUNTED else min(max(ONCE, plays), MOST_PLAYS)


def _track_duration(file: HeaderReader, at: int) -> tuple[int, bool]:
    """And whether it is said to be endless, by all of its bits."""
    offset, length = (28, 8) if file.number(at, 1) else (20, 4)
    duration = file.number(at + offset, length)
    return duration, duration == (1 << 8 * length) - 1
