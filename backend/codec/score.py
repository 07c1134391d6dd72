"""How close a coded picture looks to its original: a fast stand-in for SSIMULACRA2.

libwebp's own structural similarity (in decibels) of lightness and of the two colour differences, at full, half and quarter size, over a
mosaic of at most ``MOSAIC_TILES`` tiles from all over the picture; a line through these predicts SSIMULACRA2. Made by
``python -m tests.codec.calibrate_score``, which also says how well the two agree.
"""

from __future__ import annotations

import ctypes as c

from PIL import Image

from backend.codec import libwebp, still

TILE = 192
MOSAIC_TILES = 20
SCALES = (1, 2, 4)


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


def features(original: Image.Image, coded: Image.Image) -> list[float]:
    """Decibels: lightness, blue difference and red difference, at each of ``SCALES``."""
    one, other = (each.convert("YCbCr") for each in (original, coded))
    result: list[float] = []
    for scale in SCALES:
        result += _similarity(one.reduce(scale), other.reduce(scale))
    return result


def _similarity(one: Image.Image, other: Image.Image) -> list[float]:
    planes = (c.c_float * 5)()
    with still.picture_of(_as_rgb(one), argb=True) as left, still.picture_of(_as_rgb(other), argb=True) as right:
        if not libwebp.encoder().WebPPictureDistortion(c.byref(left), c.byref(right), libwebp.SSIM, planes):
            raise MemoryError("libwebp has no memory to compare")
    return [planes[2], planes[1], planes[0]]


def _as_rgb(image: Image.Image) -> Image.Image:
    return Image.merge("RGB", image.split())


MARGIN = 2.0
"""Points by which the prediction may be too kind."""
WEIGHTS = (0.0, 2.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
"""A constant, then one for each of ``features``."""


def predicted(original: Image.Image, coded: Image.Image) -> float:
    """SSIMULACRA2, about."""
    return WEIGHTS[0] + sum(weight * value for weight, value in zip(WEIGHTS[1:], features(original, coded), strict=True))
