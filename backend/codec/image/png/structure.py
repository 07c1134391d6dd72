"""What the chunks of a file say, as far as it counts for the picture or its notes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

from backend import errors
from backend.codec.geometry import Size
from backend.codec.image.png.animation import AnimationIndex
from backend.codec.image.png.chunks import Chunk, chunks_of, contents_of
from backend.codec.native.source import Source

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
DEPTHS = {GREY: (1, 2, 4, 8, 16), RGB: (8, 16), PALETTE: (1, 2, 4, 8), GREY_ALPHA: (8, 16), RGBA: (8, 16)}
"""PNG §11.2.1, table 12."""
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Left, top, and the steps across and down of each pass (PNG §8.1)."""
MAX_PALETTE_BYTES = 3 * 256

KEPT = frozenset((b"cICP", b"cLLI", b"mDCV", b"iCCP", b"sRGB", b"gAMA", b"cHRM"))
"""Chunks before the pixels whose contents are kept, the first of each kind."""
READ = KEPT | {b"acTL", b"tRNS"}
"""Ancillary chunks before the pixels whose contents count."""
NOTED = frozenset((b"eXIf", b"iTXt", b"zTXt", b"tEXt", b"caBX"))
"""Chunks anywhere that may be notes."""
MAX_NOTES = 1000


@dataclass(frozen=True, slots=True)
class Header:
    """IHDR. ``depth`` is in bits a sample, ``colour`` one of ``CHANNELS``."""

    size: Size
    depth: int
    colour: int
    is_interlaced: bool

    def of_size(self, size: Size) -> Header:
        """The header of an animation's frame."""
        return replace(self, size=size)

    @property
    def is_grey(self) -> bool:
        return self.colour in (GREY, GREY_ALPHA)

    @property
    def data_bytes(self) -> int:
        """Of all rows once they are inflated, with the byte for the filter that each begins with."""
        return sum(height * (1 + (width * self.depth * CHANNELS[self.colour] + 7) // 8) for width, height in self._passes() if width and height)

    def _passes(self) -> list[Size]:
        if not self.is_interlaced:
            return [self.size]
        width, height = self.size
        return [(len(range(left, width, across)), len(range(top, height, down))) for left, top, across, down in ADAM7]


@dataclass(frozen=True)
class Structure:
    """``image_data`` is the first IDAT, ``is_ended`` whether the walk came to IEND."""

    header: Header
    image_data: Chunk
    palette: bytes
    transparency: bytes
    kept: dict[bytes, bytes]
    notes: list[Chunk]
    animation: AnimationIndex
    is_ended: bool


def read_structure(source: Source, max_frames: int) -> Structure:
    """Raises ``DamagedImage``, and ``UnsupportedFormat`` for a file that needs a chunk that no decoder knows."""
    return _Walk(source, max_frames).structure()


@dataclass
class _Walk:
    source: Source
    max_frames: int
    palette: bytes = b""
    transparency: bytes = b""
    is_past_palette: bool = False
    image_data: Chunk | None = None
    kept: dict[bytes, bytes] = field(default_factory=dict)
    notes: list[Chunk] = field(default_factory=list)

    def structure(self) -> Structure:
        chunks = chunks_of(self.source)
        self.header = _header(next(chunks, None), self.source)
        self.animation = AnimationIndex(self.header.size, self.max_frames)
        kind = b""
        for chunk in chunks:
            kind = chunk.kind
            self._take(chunk)
        if self.image_data is None:
            raise errors.DamagedImage(private="PNG: no IDAT")
        if self.header.colour == PALETTE and not self.palette:
            raise errors.DamagedImage(private="PNG: no palette")
        return Structure(
            self.header, self.image_data, self.palette, self.transparency, self.kept, self.notes, self.animation, is_ended=kind == b"IEND"
        )

    def _take(self, chunk: Chunk) -> None:
        if chunk.kind in NOTED:
            self.notes += [chunk] if len(self.notes) < MAX_NOTES else []
        elif chunk.kind in self._animated:
            self._animated[chunk.kind](chunk)
        elif self.image_data is None:
            self._take_before_data(chunk)

    @cached_property
    def _animated(self) -> dict[bytes, Callable[[Chunk], None]]:
        return {b"IDAT": self._take_data, b"fcTL": self._take_frame_control, b"fdAT": self._take_frame_data}

    def _take_data(self, chunk: Chunk) -> None:
        if self.image_data is None:
            self.image_data = chunk
            self.animation.add_default_image(chunk)

    def _take_frame_control(self, chunk: Chunk) -> None:
        self.animation.add_frame_control(contents_of(chunk, self.source))

    def _take_frame_data(self, chunk: Chunk) -> None:
        if self.image_data is not None:
            self.animation.add_frame_data(chunk)

    def _take_before_data(self, chunk: Chunk) -> None:
        """What stands behind the pixels cannot count for them, as in browsers."""
        if chunk.is_critical:
            self._take_critical(chunk, contents_of(chunk, self.source))
        elif chunk.kind in READ and (contents := contents_of(chunk, self.source)) is not None:
            self._take_ancillary(chunk.kind, contents)

    def _take_ancillary(self, kind: bytes, contents: bytes) -> None:
        if kind == b"acTL":
            self.animation.add_control(contents)
        elif kind == b"tRNS":
            self._take_transparency(contents)
        elif kind != b"cICP" or not self.is_past_palette:  # as in Chromium
            self.kept.setdefault(kind, contents)

    def _take_critical(self, chunk: Chunk, contents: bytes | None) -> None:
        if contents is None or chunk.kind in (b"IHDR", b"IEND") or not chunk.kind.isalpha():
            raise errors.DamagedImage(private=f"PNG: {chunk.kind!r} is broken, or there by mistake")
        if chunk.kind != b"PLTE":
            name = chunk.kind.decode("ascii")
            raise errors.UnsupportedFormat("variant", format=f"PNG with the unknown chunk {name}", base="PNG")
        self.is_past_palette = True
        if self.header.colour != PALETTE:
            return  # suggested colours, for screens that cannot show all
        if self.palette or not 3 <= len(contents) <= MAX_PALETTE_BYTES:
            raise errors.DamagedImage(private=f"PNG: a palette of {len(contents)} bytes, or a second one")
        self.palette = contents[: len(contents) // 3 * 3]

    def _take_transparency(self, contents: bytes) -> None:
        """The first counts, behind the palette. Chromium takes a longer one, unless samples have 16 bits."""
        is_long_enough = {
            GREY: len(contents) == 2 or (len(contents) > 2 and self.header.depth < 16),
            RGB: len(contents) == 6 or (len(contents) > 6 and self.header.depth < 16),
            PALETTE: bool(self.palette),
        }.get(self.header.colour, False)
        if is_long_enough and not self.transparency:
            self.transparency = contents


def _header(chunk: Chunk | None, source: Source) -> Header:
    contents = contents_of(chunk, source) if chunk and chunk.kind == b"IHDR" else None
    if contents is None or len(contents) != 13:
        raise errors.DamagedImage(private="PNG: IHDR is broken or missing")
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", contents)
    if not (width and height) or depth not in DEPTHS.get(colour, ()) or compression or filtering or interlace > 1:
        raise errors.DamagedImage(private=f"PNG: IHDR {contents.hex()}")
    return Header((width, height), depth, colour, bool(interlace))
