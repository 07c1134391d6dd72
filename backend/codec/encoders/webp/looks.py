"""Whether a picture looks drawn: whether it pays to try the lossless encoder beside the lossy one.

Few colours and flat areas are not counted but weighed: tiles of the picture, side by side, are encoded both ways with little effort. Photographs
are told apart by the first look, which takes 3 to 9 ms of processor time whatever their size. The second look has more effort, and is for pictures
in doubt: scans, frames of films.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from backend.codec.encoders.webp import bitstream
from backend.core.options import Options

FLAT_BITS_A_PIXEL = 1.0
"""A lossless sample with so few looks drawn, however small the lossy one is. Photographs have 6 and more, and to try a flat picture takes little."""


@dataclass(frozen=True, slots=True)
class Look:
    """``most`` is the lossless sample's size, as a multiple of the lossy one's, up to which a picture looks drawn."""

    tile: int
    tiles: int
    method: int
    effort: float
    most: float


LOOKS = (Look(64, 32, method=0, effort=0.0, most=4.2), Look(128, 8, method=4, effort=bitstream.LOSSLESS_EFFORT, most=2.0))
"""Measured with ``bench/automatic.py``: the first look gives drawings up to 3.5 and photographs 4.3 or more; the second, 1.7 and 2.8."""


def is_drawn(image: Image.Image, quality: float) -> bool:
    """``quality`` is that of the lossy file, about. ``image`` is RGB or RGBA."""
    return all(_is_drawn(_tiles(image, look), look, quality) for look in LOOKS)


def _is_drawn(sample: Image.Image, look: Look, quality: float) -> bool:
    exact_bytes = _size(sample, Options(lossless=True, method=look.method), look.effort)
    if 8 * exact_bytes <= FLAT_BITS_A_PIXEL * sample.width * sample.height:
        return True
    return exact_bytes <= look.most * _size(sample, Options(method=0), quality)


def _size(sample: Image.Image, options: Options, quality: float) -> int:
    with (
        bitstream.import_picture(sample, argb=options.lossless is True) as picture,
        bitstream.encode(picture, bitstream.config_for(options, quality), lambda _percent: None) as webp,
    ):
        return len(webp)


def _tiles(image: Image.Image, look: Look) -> Image.Image:
    """From a regular grid over the picture, side by side; the picture itself where it is not larger."""
    tile = look.tile
    if image.width * image.height <= look.tiles * tile**2 or min(image.size) < tile:
        return image
    across = max(1, min(image.width // tile, round((look.tiles * image.width / image.height) ** 0.5)))
    down = max(1, min(image.height // tile, look.tiles // across))
    sample = Image.new(image.mode, (across * tile, down * tile))
    for column in range(across):
        for row in range(down):
            left, top = _offset(image.width, across, column, tile), _offset(image.height, down, row, tile)
            sample.paste(image.crop((left, top, left + tile, top + tile)), (column * tile, row * tile))
    return sample


def _offset(side: int, count: int, number: int, tile: int) -> int:
    return round((side - tile) * (number + 0.5) / count)
