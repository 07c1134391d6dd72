"""What stands before the first scan of a JPEG: its frame, and the application segments that hold notes."""

from __future__ import annotations

from dataclasses import dataclass

from backend import errors
from backend.codec.geometry import Size
from backend.codec.native.source import Source
from backend.core.image_headers import jpeg
from backend.core.image_headers.reader import HeaderReader

APP1, APP2, APP11, APP13 = 0xE1, 0xE2, 0xEB, 0xED
NOTE_MARKERS = frozenset((APP1, APP2, APP11, APP13))
NOTES_BYTES = 16 << 20
"""Of all notes together; what comes after is passed over. The largest profiles have 4 MiB."""
MODES = {1: "L", 3: "RGB", 4: "CMYK"}
"""Pillow's, by the number of components."""


@dataclass(frozen=True, slots=True)
class App:
    """An application segment."""

    marker: int
    at: int
    """Where its contents begin in the file."""
    contents: bytes


@dataclass(frozen=True, slots=True)
class JpegHeader:
    size: Size
    mode: str
    is_progressive: bool
    apps: tuple[App, ...]


def read_header(source: Source, begin: int = 0) -> JpegHeader:
    """Of the image at ``begin``. Raises ``DamagedImage``."""
    size_bytes = source.size_bytes - begin
    file = HeaderReader(lambda at, length: source.read_at(begin + at, length), size_bytes)
    frame, marker, apps, bytes_left = None, 0, [], NOTES_BYTES
    for segment in jpeg.segments(file):
        if segment.marker in jpeg.FRAME_MARKERS and frame is None:
            frame, marker = jpeg.read_frame(file, segment), segment.marker
        if segment.marker in NOTE_MARKERS and segment.length <= bytes_left:
            bytes_left -= segment.length
            apps.append(App(segment.marker, begin + segment.at, source.read_at(begin + segment.at, segment.length)))
    if frame is None or frame.components not in MODES:
        raise errors.DamagedImage(private="JPEG: no frame that can be read")
    return JpegHeader((frame.width, frame.height), MODES[frame.components], marker in jpeg.PROGRESSIVE_FRAMES, tuple(apps))
