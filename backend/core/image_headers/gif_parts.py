"""The parts that a GIF file is made of, without a look at pixels: GIF89a §18 (screen), §20 (image), §23–26 (extensions).

Data lies in sub-blocks of up to 255 bytes, ended by an empty one. What Chromium does with files that break these rules holds here too: the
first byte that begins no part ends the file, as its end does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from backend import errors
from backend.core.image_headers.reader import HeaderReader

WINDOW_BYTES = 256 << 10
"""At least. A GIF must be walked to its end, since nothing says how long a frame is; large files are read in larger windows."""
LONG_BLOCK = 64
"""Bytes. Runs of shorter blocks are not worth a pattern, and a hostile file has too many of them."""
CONTROL, APPLICATION = 0xF9, 0xFF
"""Labels of extensions."""
LOOP_NAMES = (b"\x0bNETSCAPE2.0", b"\x0bANIMEXTS1.0")
_EXTENSION, _IMAGE = 0x21, 0x2C


@dataclass(frozen=True, slots=True)
class GifExtension:
    """Its sub-blocks begin at ``blocks_at``."""

    label: int
    blocks_at: int


@dataclass(frozen=True, slots=True)
class GifImage:
    """``palette_bytes`` is 0 where it has no colours of its own. The code size lies at ``data_at``, and then its sub-blocks."""

    left: int
    top: int
    width: int
    height: int
    is_interlaced: bool
    palette_at: int
    palette_bytes: int

    @property
    def data_at(self) -> int:
        return self.palette_at + self.palette_bytes

    @property
    def blocks_at(self) -> int:
        return self.data_at + 1


@dataclass(frozen=True, slots=True)
class GifScreen:
    width: int
    height: int
    palette_at: int
    palette_bytes: int

    @property
    def parts_at(self) -> int:
        return self.palette_at + self.palette_bytes

    def widened_by(self, first: GifImage) -> tuple[int, int]:
        """The canvas: a first image that reaches beyond the screen widens it, as in browsers."""
        return max(self.width, first.left + first.width), max(self.height, first.top + first.height)


def screen_of(file: HeaderReader) -> GifScreen:
    """To be called first. Raises ``DamagedImage``."""
    file.window_bytes = max(WINDOW_BYTES, file.size_bytes // 256)
    return GifScreen(file.number(6, 2, "little"), file.number(8, 2, "little"), 13, _palette_bytes(file.number(10, 1)))


def part_at(file: HeaderReader, at: int) -> GifExtension | GifImage | None:
    """None where nothing begins that a GIF may hold. The next part begins at its ``end_of_blocks``. Raises ``DamagedImage`` at the file's end."""
    file.step()
    introducer = file.number(at, 1)
    if introducer == _EXTENSION:
        extension = GifExtension(file.number(at + 1, 1), at + 2)
        return extension if _is_well_formed(file, extension) else None
    return _image(file, at) if introducer == _IMAGE else None


def end_of_blocks(file: HeaderReader, at: int) -> int:
    """Behind the empty block. Raises ``DamagedImage`` where there is none."""
    while True:
        file.step()
        length = file.number(at, 1)
        if length == 0:
            return at + 1
        at += (_run_bytes(file, at, length) if length >= LONG_BLOCK else 0) or 1 + length


def _is_well_formed(file: HeaderReader, extension: GifExtension) -> bool:
    """A graphic control is one sub-block of four bytes, and a loop has a sub-block. Browsers end at others."""
    at = extension.blocks_at
    if extension.label == CONTROL:
        return file.number(at, 1) == 4 and file.number(at + 5, 1) == 0
    is_loop = extension.label == APPLICATION and file.number(at, 1) == 11 and file.take(at, 12) in LOOP_NAMES
    return not is_loop or file.number(at + 12, 1) > 0


def _image(file: HeaderReader, at: int) -> GifImage:
    left, top, width, height = (file.number(at + offset, 2, "little") for offset in (1, 3, 5, 7))
    flags = file.number(at + 9, 1)
    image = GifImage(left, top, width, height, bool(flags & 0x40), at + 10, _palette_bytes(flags))
    if image.data_at >= file.size_bytes:
        raise errors.DamagedImage(private=f"the file ends at byte {file.size_bytes}, before an image's data")
    return image


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


@lru_cache(maxsize=256)
def _run_of(length: int) -> re.Pattern[bytes]:
    """Matches consecutive blocks of one length, which encoders write except at a frame's end, so that they are skipped in one step."""
    return re.compile(b"(?:" + re.escape(bytes([length])) + b".{%d})*" % length, re.DOTALL)


def _run_bytes(file: HeaderReader, at: int, length: int) -> int:
    window, start = file.window(at)
    run = _run_of(length).match(window, start)
    return run.end() - start if run else 0
