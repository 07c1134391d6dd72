"""What a page shows until a picture has loaded: its ThumbHash, and its colour. Both are facts of the result (``core.facts``).

They are made of samples: every pixel of a small picture, and of a larger one some 25 000 in a grid. The colour is the mean in linear light, weighted
by alpha: the light that the picture gives off, so that neither brightness nor hue jumps as it appears. A photograph has no dominant colour, and where
two are equally common, chance would choose.
"""

from __future__ import annotations

import base64
import math

from PIL import Image, ImageMath

from backend.codec.encoders.encoder import Facts, Planes
from backend.codec.geometry import Size
from backend.codec.image.sixteen_bit import SIXTEEN_TO_EIGHT
from backend.codec.image.thumbhash import thumbhash

SAMPLES = 160
"""Along each side, about. The mean of so many is within half a step of that of all pixels, for photographs."""
WEIGHED_SAMPLES = 250
"""The same with transparency: such pictures are mostly drawn."""
COUNTED_PIXELS = 1_000_000
"""Up to so many, the colour is that of all pixels: to count them takes under a millisecond, and drawings have fewer samples of each colour than
photographs have."""
OFF_BEAT = (3 - math.sqrt(5)) / 2
"""How far the distance of two samples is below a whole number of pixels. So a regular pattern is not met at the same place again and again."""
TILT = 0.98
"""Of a cell: how far the place of a sample moves in its cell. Less than all of it, so that rounding leads out of no cell."""
HASHED_SIDE = 32
"""Pixels along the longer side that are hashed. The highest frequency has nine of them a wave and loses 1.4 %, a fifth of the smallest step."""
TRANSPARENT = "#ffffff"
"""The colour of a picture without any: white, which is what shows through elsewhere too (``steps/alpha``)."""

_LINEAR = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in (step / 255 for step in range(256))]
"""IEC 61966-2-1 §5.2, by byte."""


def of_image(image: Image.Image) -> Facts:
    """``image`` is sRGB, in any mode that an encoder takes."""
    samples = _as_rgb(_sample(image, _grid(image.size, WEIGHED_SAMPLES if image.mode == "RGBA" else SAMPLES)))
    is_counted = image.mode == samples.mode == "RGB" and image.width * image.height <= COUNTED_PIXELS
    return _of_samples(samples, image.size, image if is_counted else samples)


def of_planes(planes: Planes, size: Size) -> Facts:
    """Of a picture of ``size`` that is complete and upright."""
    grid = _grid(size)
    samples = planes.sample(lambda plane: _sample(plane, grid))
    return _of_samples(samples, size, samples)


def _sample(image: Image.Image, grid: Size) -> Image.Image:
    """One pixel of each cell of ``grid``. From the first row to the last, its place in the cell moves from left to right, and from the first column
    to the last from top to bottom: so lines across the whole picture are met at every place between two samples."""
    across, down = image.width / grid[0], image.height / grid[1]
    right, lower = TILT * across, TILT * down
    tilted = (across, right / grid[1], -right / 2, lower / grid[0], down, -lower / 2)
    return image.transform(grid, Image.Transform.AFFINE, tilted, Image.Resampling.NEAREST)


def _grid(size: Size, samples: int = SAMPLES) -> Size:
    """A long narrow picture has more samples along it, so that there are as many."""
    width, height = size
    return _samples(width, samples**2 // min(height, samples)), _samples(height, samples**2 // min(width, samples))


def _samples(side: int, most: int) -> int:
    """All pixels of a side that is short enough. In pixels, two samples are a whole number apart and 0.62 more."""
    return side if side <= most else round(side / (side // most + 1 - OFF_BEAT))


def _as_rgb(samples: Image.Image) -> Image.Image:
    """RGB, or RGBA where some are transparent."""
    if samples.mode.startswith("I"):
        samples = samples.convert("I").point(SIXTEEN_TO_EIGHT, "L")
    if not samples.has_transparency_data:
        return samples.convert("RGB")
    samples = samples.convert("RGBA")
    return samples.convert("RGB") if samples.getchannel("A").getextrema() == (255, 255) else samples


def _of_samples(samples: Image.Image, size: Size, coloured: Image.Image) -> Facts:
    """The colour is that of ``coloured``."""
    scale = min(1.0, HASHED_SIDE / max(size))
    small = samples.resize((max(1, round(size[0] * scale)), max(1, round(size[1] * scale))), Image.Resampling.BOX).convert("RGBA")
    return {"thumbhash": base64.b64encode(thumbhash(small.size, small.tobytes())).decode(), "color": _colour(coloured)}


def _colour(samples: Image.Image) -> str:
    means = _means_beside_alpha(samples) if samples.mode == "RGBA" else _means(samples)
    return "#" + "".join(f"{_byte(each):02x}" for each in means) if means else TRANSPARENT


def _means(samples: Image.Image) -> list[float]:
    """Of red, green and blue, as light."""
    counts, total = samples.histogram(), samples.width * samples.height
    return [sum(map(float.__mul__, _LINEAR, map(float, counts[at : at + 256]))) / total for at in range(0, 768, 256)]


def _means_beside_alpha(samples: Image.Image) -> list[float] | None:
    """None where all is transparent."""
    *colours, alpha = samples.split()
    weights = alpha.convert("F")
    total = _mean(weights)
    weighted = (
        ImageMath.lambda_eval(lambda images: images["light"] * images["weights"], light=each.point(_LINEAR, "F"), weights=weights) for each in colours
    )
    return [_mean(each) / total for each in weighted] if total else None


def _mean(values: Image.Image) -> float:
    mean = values.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert isinstance(mean, float)
    return mean


def _byte(light: float) -> int:
    return round(255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055))
