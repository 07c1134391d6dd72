"""ThumbHash (https://evanw.github.io/thumbhash): a picture's lowest frequencies in 5 to 25 bytes, from which a blurred one is drawn.

The arithmetic is that of the reference implementation. Each row is transformed once for all coefficients of a column, in a quarter of the time.
What rounding leaves of a coefficient that is nought is taken as nought, so that every machine makes the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from operator import mul
from typing import NamedTuple

Size = tuple[int, int]
Values = Sequence[float]
MAX_SIDE = 100
"""Of the pixels given: more would take long and change nothing."""
LIGHT_TERMS, LIGHT_TERMS_BESIDE_ALPHA, COLOUR_TERMS, ALPHA_TERMS = 7, 5, 3, 5
"""Frequencies along the longer side."""
NOUGHT = 1e-9
"""A coefficient below this comes of rounding alone. One step of one of 10 000 pixels makes 4e-7."""


class Channel(NamedTuple):
    """``varying`` are coefficients from 0 to 1, one half for nought: as they are written, once ``scale`` is divided out."""

    mean: float
    scale: float
    varying: list[float]


def thumbhash(size: Size, rgba: bytes) -> bytes:
    """``rgba`` has four bytes a pixel, row by row; colours are not multiplied by alpha. No side is longer than ``MAX_SIDE``."""
    (width, height), longest = size, max(size)
    has_alpha = min(rgba[3::4]) < 255
    terms = LIGHT_TERMS_BESIDE_ALPHA if has_alpha else LIGHT_TERMS
    across, down = (max(1, math.floor(terms * side / longest + 0.5)) for side in size)
    light, yellow, red, *alpha = _planes(rgba, has_alpha=has_alpha)
    channels = [
        _channel(light, size, max(3, across), max(3, down)),
        *(_channel(each, size, COLOUR_TERMS, COLOUR_TERMS) for each in (yellow, red)),
        *(_channel(each, size, ALPHA_TERMS, ALPHA_TERMS) for each in alpha),
    ]
    return _written(channels, down if width > height else across, is_landscape=width > height)


def _planes(rgba: bytes, *, has_alpha: bool) -> list[Values]:
    """Light, yellow to blue, red to green, and alpha where there is any. What is transparent shows the mean colour."""
    alpha = rgba[3::4]
    colours: list[Values] = [rgba[band::4] for band in range(3)]
    if has_alpha:
        total = sum(alpha) or 1
        means = [sum(map(mul, values, alpha)) / total for values in colours]
        colours = [[mean + (value - mean) * a / 255 for value, a in zip(colours[band], alpha, strict=True)] for band, mean in enumerate(means)]
    pixels = list(zip(*colours, strict=True))
    planes: list[Values] = [
        [(red + green + blue) / 765 for red, green, blue in pixels],
        [(red + green - 2 * blue) / 510 for red, green, blue in pixels],
        [(red - green) / 255 for red, green, _blue in pixels],
    ]
    return [*planes, [each / 255 for each in alpha]] if has_alpha else planes


def _channel(values: Values, size: Size, across: int, down: int) -> Channel:
    """The cosine transform's coefficients of type II, of which the highest frequencies of both directions together are left out."""
    (width, height), waves_down = size, _waves(size[1], down)
    rows = [values[at : at + width] for at in range(0, width * height, width)]
    columns = [[sum(map(mul, row, wave)) for row in rows] for wave in _waves(width, across)]
    mean, *varying = (sum(map(mul, columns[x], waves_down[y])) / (width * height) for x, y in _frequencies(across, down))
    scale = max(map(abs, varying))
    if scale < NOUGHT:
        return Channel(mean, 0.0, [0.0] * len(varying))
    return Channel(mean, scale, [0.5 + 0.5 * each / scale if abs(each) > NOUGHT else 0.5 for each in varying])


def _frequencies(across: int, down: int) -> Iterator[tuple[int, int]]:
    return ((x, y) for y in range(down) for x in range(across) if x * down < across * (down - y))


@cache
def _waves(length: int, count: int) -> list[list[float]]:
    return [[math.cos(math.pi / length * frequency * (at + 0.5)) for at in range(length)] for frequency in range(count)]


def _written(channels: list[Channel], terms: int, *, is_landscape: bool) -> bytes:
    """The numbers one after the other, each with its lowest bit first. ``terms`` are the frequencies of light along the shorter side."""
    light, yellow, red, *alpha = channels
    header = [
        (63 * light.mean, 6),
        (31.5 + 31.5 * yellow.mean, 6),
        (31.5 + 31.5 * red.mean, 6),
        (31 * light.scale, 5),
        (len(alpha), 1),
        (terms, 3),
        (63 * yellow.scale, 6),
        (63 * red.scale, 6),
        (is_landscape, 1),
        *((15 * number, 4) for each in alpha for number in (each.mean, each.scale)),
    ]
    bits, end = 0, 0
    for number, length in (*header, *((15 * each, 4) for channel in channels for each in channel.varying)):
        bits |= math.floor(number + 0.5) << end
        end += length
    return bits.to_bytes(-(-end // 8), "little")
