"""How close a coded picture looks to its original: a fast stand-in for SSIMULACRA2.

Five figures, over a mosaic of at most ``MOSAIC_TILES`` tiles from all over the picture, go into one line fitted to SSIMULACRA2 by
``python -m bench.codec_score``: over 14 photographs with crops and reductions of them, where scores lie between 60 and 80, each
photograph predicted from the others, it is right within 1.3 points (root mean square; correlation 0.98), in 28 ms of processor time.
"""

from __future__ import annotations

import ctypes as c
import math

from PIL import Image, ImageChops, ImageFilter

from backend.codec import libwebp

TILE = 192
MOSAIC_TILES = 20
TINY = 1e-3
BLOCK = 24


def mosaic(image: Image.Image) -> Image.Image:
    """The picture itself when it is small, else tiles of it in a regular grid, side by side."""
    if image.width * image.height <= MOSAIC_TILES * TILE * TILE or min(image.size) < TILE:
        return image.copy()
    across = max(1, min(image.width // TILE, round((MOSAIC_TILES * image.width / image.height) ** 0.5)))
    down = max(1, min(image.height // TILE, MOSAIC_TILES // across))
    result = Image.new(image.mode, (across * TILE, down * TILE))
    for column in range(across):
        for row in range(down):
            left, top = _spread(image.width, across, column), _spread(image.height, down, row)
            result.paste(image.crop((left, top, left + TILE, top + TILE)), (column * TILE, row * TILE))
    return result


def _spread(length: int, count: int, number: int) -> int:
    return round((length - TILE) * (number + 0.5) / count) // 16 * 16 if count > 1 else (length - TILE) // 2


def is_photograph(tiles: Image.Image) -> bool:
    """No single colour covers a tenth of it."""
    pixels = tiles.width * tiles.height
    return max(count for count, _colour in tiles.getcolors(pixels) or [(pixels, 0)]) < pixels / 10


def features(original: Image.Image, coded: Image.Image) -> list[float]:
    """See ``WEIGHTS``."""
    (light, _blue, red), (light_coded, _blue_coded, red_coded) = (each.convert("YCbCr").split() for each in (original, coded))
    quarter, red, red_coded = light.reduce(4), red.reduce(4), red_coded.reduce(4)
    return [
        math.log(_norm(ImageChops.difference(light.reduce(8), light_coded.reduce(8))) + TINY),
        _norm(ImageChops.difference(quarter, quarter.filter(ImageFilter.BoxBlur(1)))),
        _norm(ImageChops.difference(red, red_coded)),
        _dissimilarity(light, light_coded, BLOCK, 1),
        _dissimilarity(red, red_coded, BLOCK, 4),
    ]


def _norm(difference: Image.Image) -> float:
    counts = difference.histogram()
    return sum(count * value for value, count in enumerate(counts)) / sum(counts)


def _dissimilarity(one: Image.Image, other: Image.Image, block: int, power: int) -> float:
    """1 − SSIM of each block, by libwebp, which gives it in decibels; their mean of ``power``."""
    width, height = one.size
    planes = [(c.c_char * (width * height)).from_buffer_copy(each.tobytes()) for each in (one, other)]
    left, right = (c.addressof(plane) for plane in planes)
    block = min(block, width, height)
    distortion, decibels, values = c.c_float(), c.c_float(), []
    for top in range(0, height - block + 1, block):
        for at in range(top * width, top * width + width - block + 1, block):
            libwebp.encoder().WebPPlaneDistortion(
                left + at, width, right + at, width, block, block, 1, libwebp.SSIM, c.byref(distortion), c.byref(decibels)
            )
            values.append(10 ** (-decibels.value / 10))
    return float((sum(value**power for value in values) / len(values)) ** (1 / power))


MARGIN = 2.0
"""Points by which the prediction is lowered: one and a half deviations of what it is wrong by."""
WEIGHTS = (63.22, -17.44, 0.744, -10.05, -180.7, 113.9)
"""A constant; differences of lightness at an eighth of the size (logarithm); detail of the original at a quarter; differences of red there;
structure of lightness lost at full size; the worst losses of structure of red at a quarter."""


def predicted(original: Image.Image, coded: Image.Image) -> float:
    """SSIMULACRA2, about."""
    return WEIGHTS[0] + sum(weight * value for weight, value in zip(WEIGHTS[1:], features(original, coded), strict=True))
