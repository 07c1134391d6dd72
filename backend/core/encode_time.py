"""How long an AVIF takes, before it is begun: so one that cannot end in time is refused at once, with what would.

libaom's time is decided by the speed, the pixels and the picture. Here the picture is not known yet: the costs are those of a photograph. The codec
forecasts the rest from the picture itself (``codec/encoders/avif/forecast.py``).
"""

from __future__ import annotations

import math
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


def check(options: Options, shape: Shape, limit_s: float) -> None:
    """For a picture that was not seen yet. Raises ``InvalidOption`` where it surely takes longer than ``limit_s``."""
    frames = shape.frames if options.animation == "keep" else 1
    cost_s = encode_s(options.speed, shape.width * shape.height) * (1 if frames == 1 else FRAME_COST * frames)
    if options.format == "avif" and SURE_SHARE * cost_s > limit_s:
        raise too_slow(cost_s, options.speed, shape.width, limit_s)
