"""The pixels of a DIB, strip by strip. Judged by what Chromium shows: see ``tests/unit/codec/image/test_bmp.py``."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PIL import Image, ImageChops

from backend import errors
from backend.codec.image.dib.run_length import decode_rows
from backend.codec.native.source import Source
from backend.core.image_headers.dib import Dib

OnShare = Callable[[float], None]
STRIP_BYTES = 1 << 20
_INDEXED = {1: "P;1", 2: "P;2", 4: "P;4", 8: "P"}
"""Pillow's names of packed indices."""
_BGRX, _BGR = (0xFF0000, 0xFF00, 0xFF, 0), "BGR"
_IN_ONE_GO = {(24, (0, 0, 0, 0)): ("RGB", _BGR), (32, _BGRX): ("RGB", "BGRX"), (32, (*_BGRX[:3], 0xFF000000)): ("RGBA", "BGRA")}
"""Modes of picture and data for layouts that Pillow unpacks by itself."""
_PLANES = {16: "LA", 32: "RGBA"}
"""A pixel's bytes, the lowest first, as so many bands."""


def read_pixels(source: Source, dib: Dib, height: int, on_share: OnShare) -> Image.Image:
    """P, RGB, or RGBA where there is alpha. ``height`` is the picture's. Raises ``DamagedImage`` where rows are missing."""
    image = Image.new(mode_of(dib), (dib.width, height))
    if image.mode == "P":
        image.putpalette(_palette(source, dib))
    for top, strip in _strips(source, dib, height):
        image.paste(strip, (0, top))
        on_share((top + strip.height if dib.is_top_down else height - top) / height)
    return image


def mode_of(dib: Dib) -> str:
    if dib.run_length:
        return "RGB"
    return "P" if dib.bits <= 8 else "RGBA" if dib.masks[3] else "RGB"


def _palette(source: Source, dib: Dib) -> bytes:
    """256 colours. Those that the file lacks are black, as in Chromium."""
    entries = read_exactly(source, dib.palette_at, dib.palette_count * dib.palette_entry_bytes)
    size = dib.palette_entry_bytes
    return b"".join(entries[at : at + 3][::-1] for at in range(0, len(entries), size)).ljust(3 * 256, b"\0")


def _strips(source: Source, dib: Dib, height: int) -> Iterator[tuple[int, Image.Image]]:
    """Parts of whole width in the order of the file, each with the row at which it begins."""
    if dib.run_length:
        yield 0, _run_length_picture(source, dib, height)
        return
    rows_a_strip = max(1, STRIP_BYTES // dib.stride_bytes)
    for first in range(0, height, rows_a_strip):
        rows = min(rows_a_strip, height - first)
        data = read_exactly(source, dib.pixels_at + first * dib.stride_bytes, rows * dib.stride_bytes)
        yield (first if dib.is_top_down else height - first - rows), _unpack(data, dib, (dib.width, rows))


def _unpack(data: bytes, dib: Dib, size: tuple[int, int]) -> Image.Image:
    way = 1 if dib.is_top_down else -1
    if dib.bits <= 8:
        return Image.frombuffer("P", size, data, "raw", _INDEXED[dib.bits], dib.stride_bytes, way)
    if (dib.bits, dib.masks) in _IN_ONE_GO:
        mode, raw_mode = _IN_ONE_GO[dib.bits, dib.masks]
        return Image.frombuffer(mode, size, data, "raw", raw_mode, dib.stride_bytes, way)
    planes = Image.frombuffer(_PLANES[dib.bits], size, data, "raw", _PLANES[dib.bits], dib.stride_bytes, way).split()
    masks = dib.masks if dib.masks[3] else dib.masks[:3]
    return Image.merge(mode_of(dib), [_channel(planes, mask) for mask in masks])


def _channel(planes: tuple[Image.Image, ...], mask: int) -> Image.Image:
    """The bits under ``mask``, of wider ones the highest eight, spread over 0 to 255."""
    if not mask:
        return Image.new("L", planes[0].size)
    lowest = (mask & -mask).bit_length() - 1
    width = min(8, mask.bit_length() - lowest)
    number, shift = divmod(mask.bit_length() - width, 8)
    highest = (1 << width) - 1
    value = planes[number].point([(each >> shift) & highest for each in range(256)])
    if shift + width > 8:
        above = planes[number + 1].point([(each << (8 - shift)) & highest for each in range(256)])
        value = ImageChops.add(value, above)
    return value.point([round(min(each, highest) * 255 / highest) for each in range(256)])


def _run_length_picture(source: Source, dib: Dib, height: int) -> Image.Image:
    """RGB: pixels that no run covers are black, which the palette may not have."""
    assert dib.run_length is not None
    data = read_exactly(source, dib.pixels_at, max(0, source.size_bytes - dib.pixels_at))
    indices, covered = decode_rows(data, dib.run_length, dib.width, height)
    way = 1 if dib.is_top_down else -1
    size = (dib.width, height)
    picture = Image.frombuffer("P", size, indices, "raw", "P", 0, way)
    picture.putpalette(_palette(source, dib))
    shown = Image.frombuffer("L", size, covered, "raw", "L", 0, way)
    result = Image.new("RGB", size)
    result.paste(picture.convert("RGB"), (0, 0), shown)
    return result


def read_exactly(source: Source, at: int, length: int) -> bytes:
    """Raises ``DamagedImage`` where the file ends before."""
    data = source.read_at(at, length)
    if len(data) < length:
        raise errors.DamagedImage(private=f"DIB: {length} bytes at {at} of {source.size_bytes}")
    return data
