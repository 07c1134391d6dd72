"""What an image's header declares, read without decoding a pixel: one walker for each readable format.

Law: the work is bounded whatever the bytes say. A walker looks at no more than ``MAX_STEPS`` markers, chunks, blocks or boxes, and jumps over
their contents; so the gateway may run it on an upload that nobody has checked. Width and height are as stored, before orientation.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from backend import errors
from backend.core.conversion import Shape
from backend.core.formats import Format
from backend.core.limits import Limits

ReadAt = Callable[[int, int], bytes]
"""``read_at(offset, length)``: the bytes there, fewer at the end of the file."""

MAX_STEPS = 25_000
"""Honest files need a few for each frame. At about a microsecond each, the longest walk stays under 50 ms."""
MAX_FETCHES = 1_000
"""Of windows: a file whose parts lie far apart costs one read each."""
WINDOW_BYTES = 4 << 10
GIF_WINDOW_BYTES = 256 << 10
"""A GIF must be walked to its end, since nothing says how long a frame is; large files in larger windows."""

_Walk = Callable[["_Bytes", Limits], tuple[int, int, int]]


class _Bytes:
    """The file through a small window. Reading past the end, or more often than allowed, means that the image is damaged."""

    def __init__(self, read_at: ReadAt, size_bytes: int) -> None:
        self._read_at = read_at
        self.size_bytes = size_bytes
        self.window_bytes = WINDOW_BYTES
        self._start = 0
        self._window = b""
        self._fetches = 0
        self._steps = 0

    def take(self, offset: int, length: int) -> bytes:
        start = offset - self._start
        if start < 0 or start + length > len(self._window):
            self._fetch(offset, length)
            start = 0
        part = self._window[start : start + length]
        if len(part) < length:
            raise errors.DamagedImage(private=f"the file ends at byte {self.size_bytes}, within its header")
        return part

    def window(self, offset: int) -> tuple[bytes, int]:
        """The bytes around ``offset``, and where in them it lies."""
        if not self._start <= offset < self._start + len(self._window):
            self._fetch(offset, 1)
        return self._window, offset - self._start

    def step(self, count: int = 1) -> None:
        self._steps += count
        if self._steps > MAX_STEPS:
            raise errors.DamagedImage(private=f"more than {MAX_STEPS} parts")

    def number(self, offset: int, length: int, order: str = "big") -> int:
        return int.from_bytes(self.take(offset, length), "little" if order == "little" else "big")

    def _fetch(self, offset: int, length: int) -> None:
        self._fetches += 1
        if self._fetches > MAX_FETCHES or not 0 <= offset <= self.size_bytes:
            raise errors.DamagedImage(private=f"a part at byte {offset} of {self.size_bytes}, fetch {self._fetches}")
        self._start, self._window = offset, self._read_at(offset, max(length, self.window_bytes))


def read_shape(image_format: Format, read_at: ReadAt, size_bytes: int, limits: Limits) -> Shape:
    """Raises ``EmptyFile``, ``DamagedImage``, ``TooManyPixels``, ``TooManyFrames``, and ``UnsupportedFormat`` for a variant nobody can read."""
    if size_bytes == 0:
        raise errors.EmptyFile()
    width, height, frames = _WALKS[image_format.name](_Bytes(read_at, size_bytes), limits)
    if width <= 0 or height <= 0:
        raise errors.DamagedImage(private=f"{width} × {height} pixels")
    limits.check_pixels(width, height, frames)
    return Shape(image_format.name, width, height, frames)


# JPEG: ISO/IEC 10918-1 B.1.1.2 (markers), B.2.2 (frame header).
_MARKER = re.compile(rb"\xff[^\x00\xff]", re.DOTALL)
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE_MARKERS = frozenset((0x01, *range(0xD0, 0xD9)))
_UNREADABLE_FRAMES = {0xC3: "lossless", 0xC7: "hierarchical lossless", 0xCB: "lossless", 0xCF: "hierarchical lossless"} | dict.fromkeys(
    (0xC5, 0xC6, 0xCD, 0xCE), "hierarchical"
)


def _jpeg(file: _Bytes, limits: Limits) -> tuple[int, int, int]:
    at = 2
    while True:
        file.step()
        at = _next_marker(file, at)
        marker = file.number(at, 1)
        at += 1
        if marker in _BARE_MARKERS:
            continue
        if marker in (0xD9, 0xDA):
            raise errors.DamagedImage(private="JPEG: no frame header before the image data")
        if marker in _FRAME_MARKERS:
            return _jpeg_frame(file, at, marker)
        at += max(2, file.number(at, 2))


def _next_marker(file: _Bytes, at: int) -> int:
    """Where the next marker's code stands: past 0xFF fill bytes, and past stray bytes, which decoders skip too."""
    while True:
        window, start = file.window(at)
        found = _MARKER.search(window, start)
        if found:
            return at + found.start() + 1 - start
        file.step()
        ahead = max(1, len(window) - start - 1)
        at += ahead


def _jpeg_frame(file: _Bytes, at: int, marker: int) -> tuple[int, int, int]:
    precision, height, width = file.number(at + 2, 1), file.number(at + 3, 2), file.number(at + 5, 2)
    if marker in _UNREADABLE_FRAMES or precision != 8:
        kind = _UNREADABLE_FRAMES.get(marker, f"{precision}-bit")
        raise errors.UnsupportedFormat("variant", format=f"{kind} JPEG", base="JPEG")
    return width, height, 1


# PNG: third edition §5.3 (chunks), §11.2.1 (IHDR), §11.3.6.1 (acTL, which stands before the first IDAT).
def _png(file: _Bytes, limits: Limits) -> tuple[int, int, int]:
    if file.take(12, 4) != b"IHDR":
        raise errors.DamagedImage(private="PNG: does not begin with IHDR")
    width, height = file.number(16, 4), file.number(20, 4)
    limits.check_pixels(width, height)
    return width, height, _png_frames(file)


def _png_frames(file: _Bytes) -> int:
    at = 8 + 12 + 13
    while at + 8 <= file.size_bytes:
        file.step()
        length, kind = file.number(at, 4), file.take(at + 4, 4)
        if kind == b"acTL":
            return max(1, file.number(at + 8, 4))
        if kind in (b"IDAT", b"IEND"):
            break
        at += 12 + length
    return 1


# GIF89a specification: §18 (screen), §20 (image), §23–26 (extensions); data in sub-blocks of up to 255 bytes, ended by an empty one.
def _gif(file: _Bytes, limits: Limits) -> tuple[int, int, int]:
    width, height = file.number(6, 2, "little"), file.number(8, 2, "little")
    limits.check_pixels(width, height)
    file.window_bytes = max(GIF_WINDOW_BYTES, file.size_bytes // 256)
    return _gif_frames(file, limits, width, height)


def _gif_frames(file: _Bytes, limits: Limits, width: int, height: int) -> tuple[int, int, int]:
    """One more than allowed is all that needs to be known, so the walk stops there. A file that breaks off has the frames before.

    A first frame that reaches beyond the screen widens it, as in browsers.
    """
    frames, at = 0, 13 + _colour_table_bytes(file.number(10, 1))
    try:
        while frames <= limits.frames and width * height * frames <= limits.pixels:
            file.step()
            introducer = file.number(at, 1)
            if introducer == 0x21:
                at = _past_blocks(file, at + 2)
            elif introducer == 0x2C:
                frames += 1
                if frames == 1:
                    left, top, across, down = (file.number(at + offset, 2, "little") for offset in (1, 3, 5, 7))
                    width, height = max(width, left + across), max(height, top + down)
                at = _past_blocks(file, at + 11 + _colour_table_bytes(file.number(at + 9, 1)))
            else:
                break
    except errors.DamagedImage:
        if not frames:
            raise
    return width, height, max(1, frames)


def _colour_table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


LONG_BLOCK = 64
"""Runs of shorter ones are not worth a pattern, and there are too many of them in a hostile file."""


@lru_cache(maxsize=256)
def _run_of(length: int) -> re.Pattern[bytes]:
    """Blocks of one length, as encoders write them but for the last of a frame: passed in one step."""
    return re.compile(b"(?:" + re.escape(bytes([length])) + b".{%d})*" % length, re.DOTALL)


def _past_blocks(file: _Bytes, at: int) -> int:
    while True:
        file.step()
        length = file.number(at, 1)
        if length == 0:
            return at + 1
        at += (_run_bytes(file, at, length) if length >= LONG_BLOCK else 0) or 1 + length


def _run_bytes(file: _Bytes, at: int, length: int) -> int:
    window, start = file.window(at)
    run = _run_of(length).match(window, start)
    return run.end() - start if run else 0


# WebP: RFC 9649 §2.3–2.7; RFC 6386 §9.1 (VP8 frame header); WebP lossless §3 (VP8L header).
def _webp(file: _Bytes, limits: Limits) -> tuple[int, int, int]:
    kind = file.take(12, 4)
    if kind == b"VP8 " and file.take(23, 3) == b"\x9d\x01\x2a":
        return file.number(26, 2, "little") & 0x3FFF, file.number(28, 2, "little") & 0x3FFF, 1
    if kind == b"VP8L" and file.take(20, 1) == b"\x2f":
        bits = file.number(21, 4, "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, 1
    if kind == b"VP8X":
        width, height = file.number(24, 3, "little") + 1, file.number(27, 3, "little") + 1
        return width, height, _webp_frames(file, limits) if file.number(20, 1) & 2 else 1
    raise errors.DamagedImage(private=f"WebP: first chunk {kind!r}")


def _webp_frames(file: _Bytes, limits: Limits) -> int:
    frames, at = 0, 30
    while at + 8 <= file.size_bytes and frames <= limits.frames:
        file.step()
        frames += file.take(at, 4) == b"ANMF"
        length = file.number(at + 4, 4, "little")
        at += 8 + length + length % 2
    return max(1, frames)


# BMP: BITMAPCOREHEADER (12 bytes) has 16-bit sides; every later header 32-bit ones, the height negative when rows go down.
def _bmp(file: _Bytes, limits: Limits) -> tuple[int, int, int]:
    if file.number(14, 4, "little") == 12:
        return file.number(18, 2, "little"), file.number(20, 2, "little"), 1
    width, height = (int.from_bytes(file.take(at, 4), "little", signed=True) for at in (18, 22))
    return width, abs(height), 1


# TIFF 6.0 §2: the first image file directory; only its first page is converted.
_TIFF_SIZES = {1: 1, 3: 2, 4: 4}


def _tiff(file: _Bytes, limits: Limits) -> tuple[int, int, int]:
    order = "little" if file.take(0, 2) == b"II" else "big"
    at = file.number(4, 4, order)
    count = file.number(at, 2, order)
    sides: dict[int, int] = {}
    for entry in range(at + 2, at + 2 + 12 * min(count, 4096), 12):
        tag, kind = file.number(entry, 2, order), file.number(entry + 2, 2, order)
        if tag in (256, 257) and kind in _TIFF_SIZES:
            sides[tag] = file.number(entry + 8, _TIFF_SIZES[kind], order)
        if len(sides) == 2:
            return sides[256], sides[257], 1
    raise errors.DamagedImage(private="TIFF: the first directory has no size")


# ICO: ICONDIR, then one ICONDIRENTRY of 16 bytes for each picture; 0 stands for 256. A picture may be a whole PNG, whose sides count then.
def _ico(file: _Bytes, limits: Limits) -> tuple[int, int, int]:
    entries = range(6, 6 + 16 * file.number(4, 2, "little"), 16)
    sides = [_icon_sides(file, at) for at in entries]
    return (*max(sides, key=lambda each: each[0] * each[1]), 1)


def _icon_sides(file: _Bytes, entry: int) -> tuple[int, int]:
    file.step()
    at = file.number(entry + 12, 4, "little")
    if file.take(at, 16)[:8] == b"\x89PNG\r\n\x1a\n":
        return file.number(at + 16, 4), file.number(at + 20, 4)
    return file.number(entry, 1) or 256, file.number(entry + 1, 1) or 256


# AVIF and HEIC: ISO/IEC 14496-12 §4.2 (boxes), §8.11 (items); 23008-12 §6.5.3 (ispe), 14496-12 §12.1.4 (clap).
# The sides are those of the primary item, as cropped.
_FULL_BOX_BYTES = 4
Span = tuple[int, int]
"""Where a box's contents begin and end."""


def _heif(file: _Bytes, limits: Limits) -> tuple[int, int, int]:
    top = _boxes(file, (0, file.size_bytes))
    if file.take(8, 4) == b"avis" and b"moov" in top:
        return _heif_sequence(file, top[b"moov"])
    start, end = top.get(b"meta", (0, 0))
    inside = _boxes(file, (start + _FULL_BOX_BYTES, end))
    if not {b"pitm", b"iprp"} <= inside.keys():
        raise errors.DamagedImage(private="HEIF: no primary item")
    properties = _boxes(file, inside[b"iprp"])
    places = _places(file, properties.get(b"ipco", (0, 0)))
    own = _associated(file, properties.get(b"ipma", (0, 0)), _primary_item(file, inside[b"pitm"]))
    found = dict(places[index - 1] for index in reversed(own) if 0 < index <= len(places))
    if b"ispe" not in found:
        raise errors.DamagedImage(private="HEIF: the primary item has no size")
    at, clean = found[b"ispe"], found.get(b"clap")
    if clean is not None:
        return file.number(clean, 4) // max(1, file.number(clean + 4, 4)), file.number(clean + 8, 4) // max(1, file.number(clean + 12, 4)), 1
    return file.number(at + 4, 4), file.number(at + 8, 4), 1


def _places(file: _Bytes, span: Span) -> list[tuple[bytes, int]]:
    """The boxes in ``span`` in their order: kind, and where the contents begin."""
    at, end = span
    places = []
    while at + 8 <= end:
        file.step()
        length, kind, head = file.number(at, 4), file.take(at + 4, 4), 8
        if length == 1:
            length, head = file.number(at + 8, 8), 16
        if length and length < head:
            raise errors.DamagedImage(private="HEIF: a box shorter than its own head")
        places.append((kind, at + head))
        at += length or end
    return places


def _boxes(file: _Bytes, span: Span) -> dict[bytes, Span]:
    """The first box of each kind in ``span``."""
    places = _places(file, span)
    ends = [at - 8 for _kind, at in places[1:]] + [span[1]]
    return {kind: (at, end) for (kind, at), end in reversed(list(zip(places, ends, strict=False)))}


def _primary_item(file: _Bytes, span: Span) -> int:
    return file.number(span[0] + _FULL_BOX_BYTES, 2 if file.number(span[0], 1) == 0 else 4)


def _associated(file: _Bytes, span: Span, item: int) -> list[int]:
    """Numbers (from 1) of the properties that belong to ``item``."""
    version, wide, at = file.number(span[0], 1), file.number(span[0] + 3, 1) & 1, span[0] + 8
    id_bytes, index_bytes = (2 if version == 0 else 4), 1 + wide
    for _entry in range(file.number(span[0] + 4, 4)):
        file.step()
        count = file.number(at + id_bytes, 1)
        if file.number(at, id_bytes) == item:
            first = at + id_bytes + 1
            return [file.number(first + n * index_bytes, index_bytes) & (0x7FFF if wide else 0x7F) for n in range(count)]
        at += id_bytes + 1 + count * index_bytes
    return []


def _heif_sequence(file: _Bytes, moov: Span) -> tuple[int, int, int]:
    """The first track that is shown: sides from its header (16.16), frames from its sample sizes."""
    for kind, at in _places(file, moov):
        if kind != b"trak":
            continue
        track = _boxes(file, (at, moov[1]))
        start = track.get(b"tkhd", (0, 0))[0]
        sides_at = start + (76 if file.number(start, 1) == 0 else 88)
        width, height = file.number(sides_at, 4) >> 16, file.number(sides_at + 4, 4) >> 16
        span = track.get(b"mdia", (0, 0))
        for inner in (b"minf", b"stbl", b"stsz"):
            span = _boxes(file, span).get(inner, (0, 0))
        if width and height and span[0]:
            return width, height, max(1, file.number(span[0] + 8, 4))
    raise errors.DamagedImage(private="HEIF: no track that is shown")


_WALKS: dict[str, _Walk] = {
    "jpeg": _jpeg,
    "png": _png,
    "gif": _gif,
    "webp": _webp,
    "bmp": _bmp,
    "tiff": _tiff,
    "ico": _ico,
    "avif": _heif,
    "heic": _heif,
}
