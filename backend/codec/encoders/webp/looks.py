"""Whether a picture looks drawn: whether it pays to try the lossless encoder beside the lossy one.

It is looked at in tiles, side by side. A picture of flat areas passes the first look by them: screenshots, charts, logos. Any other is weighed:
its tiles are encoded both ways with little effort, which takes 3 to 9 ms of processor time and tells photographs apart. The second look weighs with
more effort, and is for pictures in doubt: scans, frames of films, photographs on a plain ground.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageChops

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


FLAT_SHARE = 0.5
"""Of the pixels, that have the colour of their neighbour. Screenshots and drawings have 0.77 and more, photographs 0.25 and less."""
FLAT_TILE, FLAT_TILES = 128, 32
FIRST_LOOK, SECOND_LOOK = (Look(64, 32, method=0, effort=0.0, most=4.2), Look(128, 8, method=4, effort=bitstream.LOSSLESS_EFFORT, most=2.0))
"""Measured with ``bench/automatic.py``: the first look gives drawings up to 3.5 and photographs 4.3 or more; the second, 1.7 and 2.8."""


def is_drawn(image: Image.Image, quality: float) -> bool:
    """``quality`` is that of the lossy file, about. ``image`` is RGB or RGBA."""
    return (is_flat(image) or _is_drawn(image, FIRST_LOOK, quality)) and _is_drawn(image, SECOND_LOOK, quality)


def is_flat(image: Image.Image) -> bool:
    """Text in flat areas weighs much in tiles, and little in the whole picture: so these areas are counted."""
    sample = _tiles(image, FLAT_TILE, FLAT_TILES).convert("RGB")
    if sample.width < 2:
        return False
    moved, still = sample.crop((1, 0, *sample.size)), sample.crop((0, 0, sample.width - 1, sample.height))
    red, green, blue = ImageChops.difference(moved, still).split()
    same = ImageChops.lighter(ImageChops.lighter(red, green), blue).histogram()[0]
    return bool(same >= FLAT_SHARE * moved.width * moved.height)


def _is_drawn(image: Image.Image, look: Look, quality: float) -> bool:
    sample = _tiles(image, look.tile, look.tiles)
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


def _tiles(image: Image.Image, tile: int, tiles: int) -> Image.Image:
    """From a regular grid over the picture, side by side; the picture itself where it is not larger."""
    if image.width * image.height <= tiles * tile**2 or min(image.size) < tile:
        return image
    across = max(1, min(image.width // tile, round((tiles * image.width / image.height) ** 0.5)))
    down = max(1, min(image.height // tile, tiles // across))
    sample = Image.new(image.mode, (across * tile, down * tile))
    for column in range(across):
        for row in range(down):
            left, top = _offset(image.width, across, column, tile), _offset(image.height, down, row, tile)
            sample.paste(image.crop((left, top, left + tile, top + tile)), (column * tile, row * tile))
    return sample


def _offset(side: int, count: int, number: int, tile: int) -> int:
    return round((side - tile) * (number + 0.5) / count)
