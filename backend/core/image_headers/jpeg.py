"""JPEG: ISO/IEC 10918-1 B.1.1.2 (markers), B.2.2 (frame header)."""

from __future__ import annotations

import re

from backend import errors
from backend.core.image_headers.reader import HeaderReader, Sides
from backend.core.limits import Limits

_MARKER = re.compile(rb"\xff[^\x00\xff]", re.DOTALL)
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE_MARKERS = frozenset((0x01, *range(0xD0, 0xD9)))
"""Without a length after them."""
_END_OR_SCAN = (0xD9, 0xDA)
_UNREADABLE_FRAMES = {0xC3: "lossless", 0xC7: "hierarchical lossless", 0xCB: "lossless", 0xCF: "hierarchical lossless"} | dict.fromkeys(
    (0xC5, 0xC6, 0xCD, 0xCE), "hierarchical"
)


def read_jpeg(file: HeaderReader, limits: Limits) -> Sides:
    at = 2
    while True:
        file.step()
        at = _next_marker(file, at)
        marker = file.number(at, 1)
        at += 1
        if marker in _BARE_MARKERS:
            continue
        if marker in _END_OR_SCAN:
            raise errors.DamagedImage(private="JPEG: no frame header before the image data")
        if marker in _FRAME_MARKERS:
            return _read_frame(file, at, marker)
        at += max(2, file.number(at, 2))


def _next_marker(file: HeaderReader, at: int) -> int:
    """Where the next marker's code stands: past 0xFF fill bytes, and past stray bytes, which decoders skip too."""
    while True:
        window, start = file.window(at)
        found = _MARKER.search(window, start)
        if found:
            return at + found.start() + 1 - start
        file.step()
        ahead = max(1, len(window) - start - 1)
        at += ahead


def _read_frame(file: HeaderReader, at: int, marker: int) -> Sides:
    precision, height, width = file.number(at + 2, 1), file.number(at + 3, 2), file.number(at + 5, 2)
    if marker in _UNREADABLE_FRAMES or precision != 8:
        kind = _UNREADABLE_FRAMES.get(marker, f"{precision}-bit")
        raise errors.UnsupportedFormat("variant", format=f"{kind} JPEG", base="JPEG")
    return width, height, 1
