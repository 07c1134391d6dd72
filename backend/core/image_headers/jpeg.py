"""JPEG: ISO/IEC 10918-1 B.1.1.2 (markers), B.2.2 (frame header)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from backend import errors
from backend.core.image_headers.reader import HeaderReader, Sides
from backend.core.limits import Limits

START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
PROGRESSIVE_FRAMES = frozenset((0xC2, 0xCA))
_MARKER = re.compile(rb"\xff[^\x00\xff]", re.DOTALL)
_BARE_MARKERS = frozenset((0x01, *range(0xD0, 0xD9)))
"""Without a length after them."""
_JPEG_LS = 0xF7
"""ISO/IEC 14495-1 C.1.1."""
_DEFINE_PROGRESSION = 0xDE
"""DHP (ISO/IEC 10918-1 B.3.2): a frame header before those of a hierarchical file."""
FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {_JPEG_LS, _DEFINE_PROGRESSION}
_LOSSLESS, _HIERARCHICAL = (0xC3, 0xCB), (0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF, _DEFINE_PROGRESSION)
_UNREADABLE_FRAMES = {
    **dict.fromkeys(_LOSSLESS, "lossless JPEG"),
    **dict.fromkeys(_HIERARCHICAL, "hierarchical JPEG"),
    _JPEG_LS: "JPEG-LS",
}
_READABLE_COMPONENTS = (1, 3, 4)


class Segment(NamedTuple):
    """``at`` is where its contents begin, after the marker and the length; there are ``length`` bytes of them."""

    marker: int
    at: int
    length: int


class Frame(NamedTuple):
    """What a frame header says."""

    precision: int
    height: int
    width: int
    components: int


def read_jpeg(file: HeaderReader, _limits: Limits) -> Sides:
    for segment in segments(file):
        if segment.marker in FRAME_MARKERS:
            frame = read_frame(file, segment)
            _check(frame, segment.marker)
            return frame.width, frame.height, 1
    raise errors.DamagedImage(private="JPEG: no frame header before the image data")


def segments(file: HeaderReader) -> Iterator[Segment]:
    """All up to the first scan, whose header is the last, or to the end of the image. Raises ``DamagedImage`` where the file ends before."""
    at = 2
    while True:
        file.step()
        at = _next_marker(file, at)
        marker = file.number(at, 1)
        at += 1
        if marker in _BARE_MARKERS:
            continue
        if marker == END_OF_IMAGE:
            return
        length = max(2, file.number(at, 2))
        yield Segment(marker, at + 2, length - 2)
        if marker == START_OF_SCAN:
            return
        at += length


def read_frame(file: HeaderReader, segment: Segment) -> Frame:
    at = segment.at
    return Frame(file.number(at, 1), file.number(at + 1, 2), file.number(at + 3, 2), file.number(at + 5, 1))


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


def _check(frame: Frame, marker: int) -> None:
    """Raises ``UnsupportedFormat`` for a valid variant that no decoder here reads."""
    variant = _UNREADABLE_FRAMES.get(marker)
    if variant is None and frame.precision != 8:
        variant = f"{frame.precision}-bit JPEG"
    if variant is None and frame.components not in _READABLE_COMPONENTS:
        variant = f"{frame.components}-component JPEG"
    if variant is None and not frame.height:
        variant = "JPEG that tells its height after the first scan (DNL)"
    if variant is not None:
        raise errors.UnsupportedFormat("variant", format=variant, base="JPEG")
