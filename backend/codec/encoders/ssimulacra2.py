"""How close an encoded picture looks to its original: the relevant terms of SSIMULACRA2 (github.com/cloudinary/ssimulacra2), with Pillow alone.

The published measure has 108 terms: three channels (XYB) at six scales, each with the structure lost, the edges added and the edges lost, as a mean
and as a mean of fourth powers. At scores between 60 and 85, twenty of them make up the sum (``WEIGHTS``, the published numbers). Pillow cannot blur
floating-point pixels, but it resizes them: a triangle filter of the same variance replaces the published Gaussian, at every fourth pixel. Of a large
picture, the two finest scales, which have the most pixels, are computed on tiles, the others on all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from PIL import Image, ImageMath

TILE = 256
MOST_FINE_PIXELS = 1_200_000
STRIP_ROWS = 256
FINE, COARSE = (0, 1), (2, 3, 4)
LEAST_SIDE = 8
"""The published measure stops at the scale where a side falls below it."""

WINDOW = 3.67
"""Half the width of a triangle with the variance of a Gaussian of 1.5 pixels: the factor by which ``resize`` must shrink."""
WINDOW_AND_BACK = 2.6
"""The same for two triangles in a row: shrunk, and enlarged again."""
SPREAD = 0.0009

Term = tuple[str, int, str]
WEIGHTS: dict[Term, float] = {
    ("X", 1, "structure4"): 1.1041726426657346,
    ("X", 2, "structure4"): 1.8422455520539298,
    ("X", 2, "added4"): 11.441172603757666,
    ("X", 3, "structure4"): 1.8787594979546387,
    ("X", 3, "added4"): 10.94906990605142,
    ("X", 4, "added4"): 0.9981766977854967,
    ("Y", 0, "structure4"): 7.466890328078848,
    ("Y", 0, "lost4"): 17.445833984131262,
    ("Y", 1, "structure4"): 6.683678146179332,
    ("Y", 1, "lost4"): 1.027889937768264,
    ("Y", 2, "structure1"): 225.20515300849274,
    ("Y", 2, "structure4"): 19.213238186143016,
    ("Y", 3, "structure1"): 176.39317598450694,
    ("Y", 3, "structure4"): 24.43300999870476,
    ("Y", 4, "structure4"): 34.77906344483772,
    ("Y", 4, "added4"): 44.835625328877896,
    ("B", 3, "structure4"): 8.826982764996862,
    ("B", 3, "added4"): 23.19243343998926,
    ("B", 4, "structure1"): 95.1080498811086,
    ("B", 4, "added4"): 171.2667255897307,
}
"""Channel, scale (halvings of the sides), and what is lost or added, with the power of its mean."""
_BEND, _FALL = (2.326765642916932, -0.020884521182843837, 6.248496625763138e-05), (10.0, 0.6276336467831387)
_SHARE = 0.9562382616834844

_LINEAR = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in (step / 255 for step in range(256))]
_BIAS = 0.0037930732554754493
_ROOT = _BIAS ** (1 / 3)
_CONES = (
    (0.30, 0.622, 0.078),
    (0.23, 0.692, 0.078),
    (0.24342268924547819, 0.20476744424496821, 0.5518098665095536),
)
_LIGHT = (0.265, 0.657, 0.078, 0.0)
"""Weights of red, green and blue (gamma-encoded): close enough to Y at the scales where only Y counts."""
_BENT = [(value + _BIAS) ** (1 / 3) - _ROOT + 0.01 for value in _LINEAR]


def is_photograph(image: Image.Image) -> bool:
    """Whether no single colour covers a tenth of it. Looks at every eighth pixel of a large picture."""
    few = _as_rgb(image.resize((max(1, image.width // 8), max(1, image.height // 8)), Image.Resampling.NEAREST) if min(image.size) > 256 else image)
    pixels = few.width * few.height
    return max(count for count, _colour in few.getcolors(pixels) or [(pixels, 0)]) < pixels / 10


class Plane:
    """One channel at one scale, with what is derived from it; computed once, for all encoded pictures."""

    def __init__(self, values: Image.Image) -> None:
        self.values = values

    @cached_property
    def mean(self) -> Image.Image:
        return _local_means(self.values)

    @cached_property
    def square(self) -> Image.Image:
        return _local_means(_math(lambda of: of["v"] * of["v"], v=self.values))

    @cached_property
    def edges(self) -> Image.Image:
        near = _shrink(self.values, WINDOW_AND_BACK).resize(self.values.size, Image.Resampling.BILINEAR)
        return _math(lambda of: abs(of["v"] - of["n"]), v=self.values, n=near)


class Original:
    """What every encoded version of ``image`` is compared with: RGB, or RGBA on white. ``image`` may be closed afterwards."""

    def __init__(self, image: Image.Image) -> None:
        self._planes = {place: Plane(values) for place, values in _planes(image)}

    def score(self, coded: Image.Image) -> float:
        """SSIMULACRA2, within about a point: 100 is the same picture, 70 looks good, 30 poor."""
        total = 0.0
        for place, values in _planes(coded):
            mine, other = self._planes[place], Plane(values)
            total += sum(weight * _TERMS[kind[:-1]](mine, other, int(kind[-1])) for kind, weight in _WANTED[place])
        total *= _SHARE
        total = sum(factor * total**power for power, factor in enumerate(_BEND, start=1))
        return float(100 - _FALL[0] * max(0.0, total) ** _FALL[1])


def _planes(image: Image.Image) -> Iterator[tuple[tuple[str, int], Image.Image]]:
    fine = _tiles(image).convert("L", _LIGHT).point(_BENT, "F")
    for scale in FINE:
        if min(fine.size) >= LEAST_SIDE:
            yield ("Y", scale), fine
        fine = fine.reduce(2)
    light = _light(image, 2 ** COARSE[0])
    for scale in COARSE:
        if min(light[0].size) < LEAST_SIDE:
            return
        for channel, values in _xyb(light).items():
            if (channel, scale) in _WANTED:
                yield (channel, scale), values
        light = [each.reduce(2) for each in light]


def _tiles(image: Image.Image) -> Image.Image:
    """The picture itself where it is small, else tiles from a regular grid, side by side."""
    most = MOST_FINE_PIXELS // TILE**2
    if image.width * image.height <= MOST_FINE_PIXELS or min(image.size) < TILE:
        return _as_rgb(image)
    across = max(1, min(image.width // TILE, round((most * image.width / image.height) ** 0.5)))
    down = max(1, min(image.height // TILE, most // across))
    result = Image.new("RGB", (across * TILE, down * TILE))
    for column in range(across):
        for row in range(down):
            left, top = _tile_offset(image.width, across, column), _tile_offset(image.height, down, row)
            result.paste(_as_rgb(image.crop((left, top, left + TILE, top + TILE))), (column * TILE, row * TILE))
    return result


def _tile_offset(length: int, count: int, number: int) -> int:
    return round((length - TILE) * (number + 0.5) / count) // 16 * 16 if count > 1 else (length - TILE) // 2


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image.convert("RGB")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def _light(image: Image.Image, factor: int) -> list[Image.Image]:
    """Linear red, green and blue, ``factor`` times smaller. Strip by strip, since floating-point pixels take four times the memory."""
    size = -(-image.width // factor), -(-image.height // factor)
    result = [Image.new("F", size) for _band in range(3)]
    for top in range(0, image.height, STRIP_ROWS):
        strip = _as_rgb(image.crop((0, top, image.width, min(image.height, top + STRIP_ROWS))))
        for whole, band in zip(result, strip.split(), strict=True):
            whole.paste(band.point(_LINEAR, "F").reduce(factor), (0, top // factor))
    return result


def _xyb(light: list[Image.Image]) -> dict[str, Image.Image]:
    """XYB as published, made positive."""
    red, green, blue = light

    def cone(share: tuple[float, float, float]) -> Image.Image:
        return _math(lambda of: (of["r"] * share[0] + of["g"] * share[1] + of["b"] * share[2] + _BIAS) ** (1 / 3) - _ROOT, r=red, g=green, b=blue)

    long, middle, short = (cone(share) for share in _CONES)
    return {
        "X": _math(lambda of: (of["l"] - of["m"]) * 7 + 0.42, l=long, m=middle),
        "Y": _math(lambda of: (of["l"] + of["m"]) * 0.5 + 0.01, l=long, m=middle),
        "B": _math(lambda of: of["s"] - (of["l"] + of["m"]) * 0.5 + 0.55, l=long, m=middle, s=short),
    }


def _structure(one: Plane, other: Plane, power: int) -> float:
    both = _local_means(_math(lambda of: of["a"] * of["b"], a=one.values, b=other.values))

    def lost(of: dict[str, Any]) -> Any:
        apart, mixed = of["m"] - of["n"], of["m"] * of["n"]
        alike = (1 - apart * apart) * (2 * (of["b"] - mixed) + SPREAD)
        return of["max"](1 - alike / ((of["s"] - of["m"] * of["m"]) + (of["t"] - of["n"] * of["n"]) + SPREAD), 0.0)

    return _norm(_math(lost, m=one.mean, n=other.mean, s=one.square, t=other.square, b=both), power)


def _added(one: Plane, other: Plane, power: int) -> float:
    return _norm(_math(lambda of: of["max"]((1 + of["b"]) / (1 + of["a"]) - 1, 0.0), a=one.edges, b=other.edges), power)


def _lost(one: Plane, other: Plane, power: int) -> float:
    return _norm(_math(lambda of: of["max"](1 - (1 + of["b"]) / (1 + of["a"]), 0.0), a=one.edges, b=other.edges), power)


_TERMS: dict[str, Callable[[Plane, Plane, int], float]] = {"structure": _structure, "added": _added, "lost": _lost}
_WANTED = {
    place: [(kind, weight) for (channel, scale, kind), weight in WEIGHTS.items() if (channel, scale) == place]
    for place in {each[:2] for each in WEIGHTS}
}


def _local_means(values: Image.Image) -> Image.Image:
    return _shrink(values, WINDOW)


def _shrink(values: Image.Image, factor: float) -> Image.Image:
    size = max(1, round(values.width / factor)), max(1, round(values.height / factor))
    return values.resize(size, Image.Resampling.BILINEAR)


def _norm(values: Image.Image, power: int) -> float:
    if power == 4:
        values = _math(lambda of: of["v"] * of["v"] * of["v"] * of["v"], v=values)
    mean = values.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert isinstance(mean, float)
    return float(mean ** (1 / power))


def _math(expression: Callable[[dict[str, Any]], Any], **images: Image.Image) -> Image.Image:
    result = ImageMath.lambda_eval(expression, **images)
    assert isinstance(result, Image.Image)
    return result
