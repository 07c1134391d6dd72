"""DIB, the picture within BMP and ICO: BITMAPCOREHEADER, BITMAPINFOHEADER and its longer versions, with their masks and palettes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from backend import errors
from backend.core.image_headers.reader import HeaderReader

CORE, INFO, V2, V3, OS2 = 12, 40, 52, 56, 64
"""Lengths of headers; those of V4 and V5 are longer, and OS/2's second one has no masks."""
_RGB, _RLE8, _RLE4, _BITFIELDS, _JPEG, _PNG, _ALPHA_BITFIELDS, _HUFFMAN, _RLE24 = 0, 1, 2, 3, 4, 5, 6, 103, 104
_OS2_COMPRESSIONS = {_BITFIELDS: _HUFFMAN, _JPEG: _RLE24}
_BITS_OF = {_RGB: (1, 2, 4, 8, 16, 24, 32), _RLE8: (8,), _RLE4: (4,), _BITFIELDS: (16, 32), _ALPHA_BITFIELDS: (16, 32)}
"""What is read: the depths of each compression."""
_NAMES = {_JPEG: "JPEG-compressed", _PNG: "PNG-compressed", _HUFFMAN: "Huffman-compressed", _RLE24: "24-bit run-length", _BITFIELDS: "bit-field"}
_MASKS = {16: (0x7C00, 0x03E0, 0x001F, 0), 24: (0, 0, 0, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}
"""Red, green, blue and alpha where a header has no masks."""
MAX_COLOURS = 256


@dataclass(frozen=True, slots=True)
class Dib:
    """``height`` is as declared, which in an icon counts the mask too. ``masks`` are red, green, blue, alpha. Offsets are in the file."""

    width: int
    height: int
    bits: int
    is_top_down: bool
    run_length: Literal[4, 8] | None
    masks: tuple[int, int, int, int]
    palette_at: int
    palette_count: int
    palette_entry_bytes: int
    pixels_at: int

    @property
    def stride_bytes(self) -> int:
        """Of a row; rows begin at multiples of four bytes."""
        return (self.width * self.bits + 31) // 32 * 4


def read_dib(file: HeaderReader, at: int, pixels_at: int | None = None) -> Dib:
    """The header ``at``. Without ``pixels_at`` the pixels follow it. Raises ``DamagedImage``, and ``UnsupportedFormat`` for what is not read."""
    header_bytes = file.number(at, 4, "little")
    if header_bytes == CORE:
        width, height, bits = (file.number(at + offset, 2, "little") for offset in (4, 6, 10))
        return _dib(file, at, header_bytes, (width, height), bits, _RGB, 0, pixels_at)
    width, height = (int.from_bytes(file.take(at + offset, 4), "little", signed=True) for offset in (4, 8))
    bits, compression = file.number(at + 14, 2, "little"), file.number(at + 16, 4, "little")
    if header_bytes == OS2:
        compression = _OS2_COMPRESSIONS.get(compression, compression)
    return _dib(file, at, header_bytes, (width, height), bits, compression, file.number(at + 32, 4, "little"), pixels_at)


def _dib(
    file: HeaderReader, at: int, header_bytes: int, sides: tuple[int, int], bits: int, compression: int, colours: int, pixels_at: int | None
) -> Dib:
    _check(bits, compression)
    end = at + header_bytes
    masks, mask_bytes = _masks(file, at, header_bytes, bits, compression)
    entry_bytes = 3 if header_bytes == CORE else 4
    count = min(colours or 1 << bits, 1 << bits, MAX_COLOURS) if bits <= 8 else 0
    palette_at = end + mask_bytes
    if pixels_at is None:
        pixels_at = palette_at + entry_bytes * (count or colours)
    elif palette_at <= pixels_at:
        count = min(count, (pixels_at - palette_at) // entry_bytes)
    run_length: Literal[4, 8] | None = {_RLE8: 8, _RLE4: 4}.get(compression)  # type: ignore[assignment]
    return Dib(sides[0], abs(sides[1]), bits, sides[1] < 0, run_length, masks, palette_at, count, entry_bytes, pixels_at)


def _check(bits: int, compression: int) -> None:
    if bits in _BITS_OF.get(compression, ()):
        return
    if compression in _NAMES:
        raise errors.UnsupportedFormat("variant", format=f"{_NAMES[compression]} BMP", base="BMP")
    if compression in _BITS_OF and bits in (16, 24, 32, 64):
        raise errors.UnsupportedFormat("variant", format=f"{bits}-bit BMP", base="BMP")
    raise errors.DamagedImage(private=f"DIB: {bits} bits, compression {compression}")


def _masks(file: HeaderReader, at: int, header_bytes: int, bits: int, compression: int) -> tuple[tuple[int, int, int, int], int]:
    """The masks, and how many bytes of them stand behind the header. Each mask's bits must lie together."""
    has_own = compression in (_BITFIELDS, _ALPHA_BITFIELDS)
    has_alpha = compression == _ALPHA_BITFIELDS or (header_bytes >= V3 and header_bytes != OS2)
    red, green, blue, alpha = _MASKS.get(bits, (0, 0, 0, 0))
    if has_own:
        red, green, blue = (file.number(at + INFO + offset, 4, "little") for offset in (0, 4, 8))
    if has_alpha and bits in (16, 32):
        alpha = file.number(at + INFO + 12, 4, "little")
    masks = (red, green, blue, alpha)
    if not all(_is_one_run(mask) for mask in masks):
        raise errors.UnsupportedFormat("variant", format="split-mask BMP", base="BMP")
    return masks, (4 * (4 if compression == _ALPHA_BITFIELDS else 3) if has_own and header_bytes == INFO else 0)


def _is_one_run(mask: int) -> bool:
    lowest = mask & -mask
    return mask & (mask + lowest) == 0
