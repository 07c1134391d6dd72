"""A result's size from its source's size and the options: pure arithmetic, with sharp's meaning of ``fit``.

The part of the image that ``crop`` and ``trim`` leave is scaled, then cropped to the canvas or set on it. Without ``enlarge``, no axis is scaled
up; ``contain`` still fills its canvas.
"""

from __future__ import annotations

from dataclasses import dataclass

from backend import errors
from backend.core.formats import OutputFormat
from backend.core.limits import Limits
from backend.core.options import Options

Size = tuple[int, int]
Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""
IntBox = tuple[int, int, int, int]
Point = tuple[float, float]
"""As shares (0–1) of width and height."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """All upright, in pixels. ``left`` and ``top`` are where the scaled image lies on the canvas; below 0, that much is cropped."""

    scaled: Size
    canvas: Size
    left: int = 0
    top: int = 0

    @property
    def pixels(self) -> int:
        return self.canvas[0] * self.canvas[1]


def geometry_for(size: Size, options: Options, focus: Point | None = None) -> Geometry:
    """``size`` is that of the part of the source that is used, ``focus`` a point of it; both after it was oriented."""
    wanted = _wanted_size(options)
    scaled = _scaled_size(size, wanted, options)
    canvas = _canvas_size(scaled, wanted, options)
    room = canvas[0] - scaled[0], canvas[1] - scaled[1]
    if focus is not None and options.fit == "cover":
        return Geometry(scaled, canvas, _offset_to(focus[0], scaled[0], room[0]), _offset_to(focus[1], scaled[1], room[1]))
    across, down = _GRAVITY.get(options.gravity, _GRAVITY["centre"])
    return Geometry(scaled, canvas, _offset(room[0], across), _offset(room[1], down))


def crop_box(size: Size, crop: str) -> IntBox:
    """``crop`` as far as it lies in a picture of this size. Raises ``InvalidOption`` (crop_outside) where that is nowhere."""
    left, top, width, height = map(int, crop.split(","))
    if left >= size[0] or top >= size[1]:
        raise errors.InvalidOption("crop_outside", width=size[0], height=size[1], last_left=size[0] - 1, last_top=size[1] - 1)
    return left, top, min(size[0], left + width), min(size[1], top + height)


def most_pixels(size: Size, options: Options, limits: Limits) -> int:
    """What a result may have at most, from a source of this size, whichever way it stands. What ``trim`` leaves can have any shape."""
    if options.trim is not None and options.enlarge:
        return limits.pixels
    return max(geometry_for(_part_size(each, options), options).pixels for each in (size, size[::-1]))


def _part_size(size: Size, options: Options) -> Size:
    """What ``crop`` leaves of an upright picture, after ``rotate``; one pixel of a picture that it does not meet."""
    try:
        left, top, right, bottom = crop_box(size, options.crop) if options.crop else (0, 0, *size)
    except errors.InvalidOption:
        return 1, 1
    return (right - left, bottom - top) if options.rotate % 180 == 0 else (bottom - top, right - left)


def check_geometry(geometry: Geometry, output: OutputFormat, limits: Limits) -> None:
    """Raises ``InvalidOption`` (side) where the format has no such size, ``TooManyPixels`` where it is over the limit."""
    width, height = geometry.canvas
    if max(width, height) > output.max_side:
        raise errors.InvalidOption("side", width=width, height=height, limit=output.max_side, format=output.source.label)
    limits.check_pixels(max(width, geometry.scaled[0]), max(height, geometry.scaled[1]))


def _wanted_size(options: Options) -> tuple[int | None, int | None]:
    """What ``width`` and ``height`` are in pixels of the device."""
    width, height = (max(1, round(side * options.dpr)) if side else None for side in (options.width, options.height))
    return width, height


def _scaled_size(size: Size, wanted: tuple[int | None, int | None], options: Options) -> Size:
    across, down = _factors(size, wanted, options.fit)
    if not options.enlarge:
        across, down = min(1.0, across), min(1.0, down)
    return max(1, round(size[0] * across)), max(1, round(size[1] * down))


def _factors(size: Size, wanted: tuple[int | None, int | None], fit: str) -> tuple[float, float]:
    across, down = (side / length if side else None for side, length in zip(wanted, size, strict=True))
    if fit == "fill":
        return across or 1.0, down or 1.0
    given = [factor for factor in (across, down) if factor]
    factor = (max(given) if fit in ("cover", "outside") else min(given)) if given else 1.0
    return factor, factor


def _canvas_size(scaled: Size, wanted: tuple[int | None, int | None], options: Options) -> Size:
    width, height = wanted
    if width and height:
        if options.fit == "cover":
            return min(scaled[0], width), min(scaled[1], height)
        if options.fit == "contain":
            return max(scaled[0], width), max(scaled[1], height)
    return scaled


_GRAVITY: dict[str, tuple[float, float]] = {
    "centre": (0.5, 0.5),
    "north": (0.5, 0.0),
    "northeast": (1.0, 0.0),
    "east": (1.0, 0.5),
    "southeast": (1.0, 1.0),
    "south": (0.5, 1.0),
    "southwest": (0.0, 1.0),
    "west": (0.0, 0.5),
    "northwest": (0.0, 0.0),
}


def offsets_on(room: Size, place: str) -> tuple[int, int]:
    """Where something lies that leaves so much ``room``, by the gravity ``place``."""
    across, down = _GRAVITY[place]
    return _offset(room[0], across), _offset(room[1], down)


def _offset(room: int, share: float) -> int:
    """``room`` is the canvas' side less the image's; below 0 it is cropped away from the gravity. Half a pixel goes to the left or top."""
    return int(room * share) if room >= 0 else -int(-room * share)


def _offset_to(share: float, length: int, room: int) -> int:
    """That brings the point at ``share`` of ``length`` into the middle of the canvas, as far as there is no gap beside the image."""
    return max(room, min(0, round((length + room) / 2 - share * length)))
