"""How long an AVIF takes, before it is begun: so one that cannot end in time is refused at once, with what would.

libaom's time is decided by the speed, the pixels and the picture. Here the picture is not known yet: the costs are those of a photograph. The codec
forecasts the rest from the picture itself (``codec/encoders/avif/forecast.py``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backend import errors
from backend.core.conversion import Shape
from backend.core.options import Options

MS_A_MEGAPIXEL = (30_000.0, 11_500.0, 9_300.0, 5_900.0, 3_300.0, 2_700.0, 550.0, 300.0, 240.0, 60.0, 60.0)
"""By speed: processor time, the median of photographs (``python -m bench.avif_time``)."""
SURE_SHARE = 0.5
"""Of these costs. A drawing takes less than a photograph, and another machine may be faster: what is refused unseen would hardly have ended."""
FRAME_COST = 0.5
"""Of an animation's frame, beside a still of the same picture: most of it is the frame before, moved."""
FIT_SHARE = 0.8
"""Of the time limit: what is suggested instead of a refused encode is to fit with some room."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """What would end in time: a higher ``speed``, None where no speed does; or the same speed with a ``width`` in pixels."""

    speed: int | None
    width: int


def encode_s(speed: int, pixels: int) -> float:
    return MS_A_MEGAPIXEL[speed] * pixels / 1e9


def at_speed(cost_s: float, given: int, other: int) -> float:
    """What costs ``cost_s`` at the speed ``given``, at another one."""
    return cost_s * MS_A_MEGAPIXEL[other] / MS_A_MEGAPIXEL[given]


def speed_within(cost_s: float, speed: int, limit_s: float) -> int | None:
    """The lowest speed from ``speed`` on at which what costs ``cost_s`` there keeps the limit; None where none does."""
    return next((each for each in range(speed, len(MS_A_MEGAPIXEL)) if at_speed(cost_s, speed, each) <= limit_s), None)


def fitting(cost_s: float, speed: int, width: int, limit_s: float) -> Fitting:
    room_s = FIT_SHARE * limit_s
    return Fitting(speed_within(cost_s, speed, room_s), max(1, math.floor(width * min(1.0, math.sqrt(room_s / cost_s)))))


def too_slow(cost_s: float, speed: int, width: int, limit_s: float) -> errors.InvalidOption:
    """The refusal of a picture ``width`` pixels wide that would take ``cost_s``, with what fits."""
    fits = fitting(cost_s, speed, width, limit_s)
    told: dict[str, Any] = {"seconds": math.ceil(cost_s), "limit": math.ceil(limit_s), "width": fits.width}
    if fits.speed is None:
        return errors.InvalidOption("too_long", option="width", suggestion=str(fits.width), **told)
    return errors.InvalidOption("too_slow", option="speed", value=speed, suggestion=str(fits.speed), **told)


def check(asked: Sequence[Options], shape: Shape, limit_s: float) -> None:
    """For a picture that was not seen yet, and all results that are asked for. Raises ``InvalidOption`` where they surely take longer than
    ``limit_s``."""
    costs_s = [(_unseen_s(each, shape), each) for each in asked if each.format == "avif"]
    total_s = sum(cost_s for cost_s, _ in costs_s)
    if SURE_SHARE * total_s > limit_s:
        _, slowest = max(costs_s, key=lambda each: each[0])
        raise too_slow(total_s, slowest.speed, min(shape.width, slowest.width or shape.width), limit_s)


def _unseen_s(options: Options, shape: Shape) -> float:
    """0 where the size of the result is not known either: the part that is used, or which of two sides decides."""
    if any(each is not None for each in (options.height, options.crop, options.trim)) or (options.width and options.rotate % 180):
        return 0.0
    frames = shape.frames if options.animation == "keep" else 1
    return encode_s(options.speed, round(_fewest_pixels(options, shape))) * (1 if frames == 1 else FRAME_COST * frames)


def _fewest_pixels(options: Options, shape: Shape) -> float:
    """Of the result, whichever way the picture stands."""
    if options.width is None:
        return shape.width * shape.height
    factor = options.width * options.dpr / max(shape.width, shape.height)
    return shape.width * shape.height * (factor if options.enlarge else min(1.0, factor)) ** 2
