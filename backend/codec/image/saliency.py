"""Where a gravity that looks into the picture finds the part to keep. Both look at a small copy, in gamma light.

``attention`` adds up what eyes go to: colours and brightness that differ from what is around them, and from the mean of the picture. Each of these
maps counts by how rare its peaks are (after Itti, Koch and Niebur 1998), so that a texture that is everywhere draws nobody. ``entropy`` takes the
part whose levels of grey tell the most (Shannon).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PIL import Image, ImageChops, ImageFilter, ImageStat

from backend.codec.geometry import Geometry, IntBox, Point, Size

LONGEST_SIDE = 128
"""Of the copy, in pixels."""
SURROUND = 12.0
"""Sigma in pixels of the copy: what lies around a point."""
CENTRE_WEIGHT = 0.35
"""How much less a point counts at the edge of the kept part than in its middle: so that a subject is not cut off."""
STEPS = 64
"""Places that ``entropy`` tries."""


def placed(image: Image.Image, geometry: Geometry, gravity: str) -> Geometry:
    """``geometry`` with the part of ``image``, which is scaled, upright and sRGB, that is kept on the canvas."""
    rooms = [side - kept for side, kept in zip(geometry.scaled, geometry.canvas, strict=True)]
    if max(rooms) <= 0:
        return geometry
    small = _small_copy(image)
    left, top = _FINDERS[gravity](small, geometry)
    return replace(geometry, left=-_whole(left * image.width / small.width, rooms[0]), top=-_whole(top * image.height / small.height, rooms[1]))


def centre_of(geometry: Geometry) -> Point:
    """Of the part that is kept, as shares of the scaled picture."""
    return (geometry.canvas[0] / 2 - geometry.left) / geometry.scaled[0], (geometry.canvas[1] / 2 - geometry.top) / geometry.scaled[1]


def placed_at(geometry: Geometry, centre: Point) -> Geometry:
    """``geometry`` with ``centre`` in its middle, as far as the picture goes."""
    left, top = (
        _whole(share * length - kept / 2, max(0, length - kept)) for share, length, kept in zip(centre, geometry.scaled, geometry.canvas, strict=True)
    )
    return replace(geometry, left=-left, top=-top)


def _whole(offset: float, room: int) -> int:
    return max(0, min(room, round(offset)))


def _small_copy(image: Image.Image) -> Image.Image:
    """Grey behind what is transparent: it draws nobody."""
    factor = min(1.0, LONGEST_SIDE / max(image.size))
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    small = image.resize(size, Image.Resampling.BOX)
    if small.mode in ("LA", "RGBA"):
        ground = Image.new("RGBA", size, (128, 128, 128, 255))
        return Image.alpha_composite(ground, small.convert("RGBA")).convert("RGB")
    return small.convert("RGB")


def _most_attention(small: Image.Image, geometry: Geometry) -> tuple[float, float]:
    weights = _attention(small)
    across = list(weights.resize((small.width, 1), Image.Resampling.BOX).tobytes())
    down = list(weights.resize((1, small.height), Image.Resampling.BOX).tobytes())
    return _best_start(across, _share(geometry, 0)), _best_start(down, _share(geometry, 1))


def _share(geometry: Geometry, axis: int) -> float:
    return geometry.canvas[axis] / geometry.scaled[axis]


def _best_start(weights: list[int], share: float) -> float:
    """Where the part begins that weighs most; of equals, the one nearest to the middle. What a quarter of the picture stays under has no weight."""
    length = max(1, round(share * len(weights)))
    middle = (length - 1) / 2
    bell = [1 - CENTRE_WEIGHT * abs(place - middle) / max(middle, 1) for place in range(length)]
    floor = sorted(weights)[len(weights) // 4]
    excess = [max(0, each - floor) for each in weights]
    starts = range(len(weights) - length + 1)
    centre = (len(weights) - length) / 2
    return max(starts, key=lambda start: (sum(map(float.__mul__, bell, map(float, excess[start : start + length]))), -abs(start - centre)))


def _attention(small: Image.Image) -> Image.Image:
    """L: how much each pixel draws the eye."""
    total = Image.new("L", small.size)
    for each in _differences(small):
        total = ImageChops.add(total, _promoted(each))
    return total


def _differences(small: Image.Image) -> list[Image.Image]:
    """Brightness and colours, each against what is around it, and against the whole."""
    near, around = small.filter(ImageFilter.GaussianBlur(1)).convert("YCbCr"), small.filter(ImageFilter.GaussianBlur(SURROUND)).convert("YCbCr")
    whole = Image.new("YCbCr", small.size, tuple(round(each) for each in ImageStat.Stat(near).mean))
    maps = []
    for other in (around, whole):
        light, blue, red = ImageChops.difference(near, other).split()
        maps += [light, ImageChops.add(blue, red)]
    return maps


def _promoted(given: Image.Image) -> Image.Image:
    """Stretched to 255 at its peak, and the less of it the more peaks there are."""
    smooth = given.filter(ImageFilter.GaussianBlur(2))
    high = smooth.getextrema()[1]
    if not isinstance(high, (int, float)) or high < 8:
        return Image.new("L", given.size)
    mean = ImageStat.Stat(smooth).mean[0] / high
    factor = 255 / high * (1 - mean) ** 2 / 4
    return smooth.point([min(255, round(value * factor)) for value in range(256)])


def _most_entropy(small: Image.Image, geometry: Geometry) -> tuple[float, float]:
    """Of equals, the one nearest to the middle."""
    grey = small.convert("L")
    size = max(1, round(_share(geometry, 0) * grey.width)), max(1, round(_share(geometry, 1) * grey.height))
    rooms = grey.width - size[0], grey.height - size[1]
    steps = min(STEPS, max(rooms)) or 1
    found = max(range(steps + 1), key=lambda step: (grey.crop(_box(rooms, step / steps, size)).entropy(), -abs(step - steps / 2)))
    return rooms[0] * found / steps, rooms[1] * found / steps


def _box(rooms: Size, share: float, size: Size) -> IntBox:
    left, top = round(rooms[0] * share), round(rooms[1] * share)
    return left, top, left + size[0], top + size[1]


_FINDERS: dict[str, Callable[[Image.Image, Geometry], tuple[float, float]]] = {"attention": _most_attention, "entropy": _most_entropy}
