"""ICO: ICONDIR, then one ICONDIRENTRY of 16 bytes for each picture. A picture is a PNG, or a DIB with a mask below it.

Entries may be wrong about a picture's sides and depth, so the picture's own header counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from backend import errors
from backend.core.image_headers.dib import Dib, read_dib
from backend.core.image_headers.reader import HeaderReader, Sides
from backend.core.limits import Limits

_ENTRIES_AT, _ENTRY_BYTES = 6, 16
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class IconPicture:
    """``dib`` is missing where the bytes at ``at`` are a PNG. ``height`` is without the mask."""

    at: int
    length: int
    width: int
    height: int
    bits: int
    dib: Dib | None


def read_ico(file: HeaderReader, limits: Limits) -> Sides:
    best = best_picture(file)
    return best.width, best.height, 1


def best_picture(file: HeaderReader) -> IconPicture:
    """The largest, and among equals the one with most bits, as browsers choose. Raises ``DamagedImage``, ``UnsupportedFormat``."""
    entries = range(_ENTRIES_AT, _ENTRIES_AT + _ENTRY_BYTES * file.number(4, 2, "little"), _ENTRY_BYTES)
    pictures = [_picture(file, entry) for entry in entries]
    if not pictures:
        raise errors.DamagedImage(private="ICO: no picture")
    return max(pictures, key=lambda each: (each.width * each.height, each.bits))


def _picture(file: HeaderReader, entry: int) -> IconPicture:
    file.step()
    length, at = (file.number(entry + offset, 4, "little") for offset in (8, 12))
    if file.take(at, 16)[: len(_PNG)] == _PNG:
        return IconPicture(at, length, file.number(at + 16, 4), file.number(at + 20, 4), file.number(entry + 6, 2, "little"), None)
    dib = read_dib(file, at)
    return IconPicture(at, length, dib.width, dib.height // 2, dib.bits, dib)
