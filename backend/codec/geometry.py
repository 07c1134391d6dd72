"""A result's size from its source's size and the options: pure arithmetic, with sharp's meaning of ``fit``.

The image is scaled, then cropped to the canvas or set on it. Without ``enlarge``, no axis is scaled up; ``contain`` still fills its canvas.
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


def geometry_for(size: Size, options: Options) -> Geometry:
    """``size`` is the source's after it was oriented."""
    scaled = _scaled_size(size, options)
    canvas = _canvas_size(scaled, options)
    across, down = _GRAVITY[options.gravity]
    return Geometry(scaled, canvas, _offset(canvas[0] - scaled[0], across), _offset(canvas[1] - scaled[1], down))


def check_geometry(geometry: Geometry, output: OutputFormat, limits: Limits) -> None:
    """Raises ``InvalidOption`` (side) where the format has no such size, ``TooManyPixels`` where it is over the limit."""
    width, height = geometry.canvas
    if max(width, height) > output.max_side:
        raise errors.InvalidOption("side", width=width, height=height, limit=output.max_side, format=output.source.label)
    limits.check_pixels(max(width, geometry.scaled[0]), max(height, geometry.scaled[1]))


def _scaled_size(size: Size, options: Options) -> Size:
    across, down = _factors(size, options)
    if not options.enlarge:
        across, down = min(1.0, across), min(1.0, down)
    return max(1, round(size[0] * across)), max(1, round(size[1] * down))


def _factors(size: Size, options: Options) -> tuple[float, float]:
    across = options.width / size[0] if options.width else None
    down = options.height / size[1] if options.height else None
    if options.fit == "fill":
        return across or 1.0, down or 1.0
    given = [factor for factor in (across, down) if factor]
    factor = (max(given) if options.fit in ("cover", "outside") else min(given)) if given else 1.0
    return factor, factor


def _canvas_size(scaled: Size, options: Options) -> Size:
    if options.width and options.height:
        if options.fit == "cover":
            return min(scaled[0], options.width), min(scaled[1], options.height)
        if options.fit == "contain":
            return max(scaled[0], options.width), max(scaled[1], options.height)
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


def _offset(room: int, share: float) -> int:
    """``room`` is the canvas' side less the image's; below 0 it is cropped away from the gravity. Half a pixel goes to the left or top."""
    return int(room * share) if room >= 0 else -int(-room * share)
