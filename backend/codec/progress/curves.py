"""libwebp's percent as a share of encoding time, and what an encode costs, by kind, method and size. The data are in ``curves.json``.

libwebp's percent is fine-grained and far from linear: with method 4, four fifths of the time lie between 19 and 38. So it is mapped through the
time at which a photograph typically reaches each value. Between measured sizes the curve is interpolated by the logarithm of the pixels.

``alpha`` is lossy with transparency. While libwebp compresses the alpha plane it calls nothing, between 19 and 20; meanwhile the bar follows
processor time (``host/cpu_progress.py``).
"""

from __future__ import annotations

import json
import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from backend.core.options import Options

Curve = Callable[[float], float]
Knots = tuple[tuple[int, float], ...]
"""(percent, percent of the time), with straight lines in between and to (0, 0) and (100, 100)."""
DATA = Path(__file__).parent / "curves.json"
"""Written by ``python -m bench.codec_curves table``."""


def _read() -> tuple[dict[str, dict[float, tuple[Knots, ...]]], dict[str, dict[float, tuple[float, ...]]]]:
    """Both by kind and megapixels (rising): the knots, and the milliseconds a megapixel, of each method."""
    data: dict[str, Any] = json.loads(DATA.read_text("utf-8"))
    knots = {
        kind: {float(size): tuple(tuple((percent, share) for percent, share in method) for method in methods) for size, methods in sizes.items()}
        for kind, sizes in data["knots"].items()
    }
    costs = {kind: {float(size): tuple(methods) for size, methods in sizes.items()} for kind, sizes in data["ms_per_megapixel"].items()}
    return knots, costs


KNOTS, MS_PER_MEGAPIXEL = _read()


def curve_for(options: Options, pixels: int, *, has_alpha: bool) -> Curve:
    """From libwebp's percent to the share (0–1) of the time, for a picture of so many pixels."""
    sizes = KNOTS[kind_of(options, has_alpha=has_alpha)]
    before, after, part = _neighbours(list(sizes), pixels)
    low, high = (((0, 0), *sizes[size][int(options.method)], (100, 100)) for size in (before, after))
    return lambda percent: _mix(_share_at(low, percent), _share_at(high, percent), part)


def cost_ms(options: Options, pixels: int, *, has_alpha: bool) -> float:
    """Milliseconds of one encode on the machine that was measured: a weight beside the other stages' costs from there."""
    sizes = MS_PER_MEGAPIXEL[kind_of(options, has_alpha=has_alpha)]
    before, after, part = _neighbours(list(sizes), pixels)
    return _mix(sizes[before][int(options.method)], sizes[after][int(options.method)], part) * pixels / 1e6


def kind_of(options: Options, *, has_alpha: bool) -> str:
    if options.near_lossless is not None:
        return "near_lossless"
    if options.lossless is True:
        return "lossless"
    return "alpha" if has_alpha else "sharp" if options.sharp_yuv else "lossy"


def _neighbours(sizes: Sequence[float], pixels: int) -> tuple[float, float, float]:
    """The measured sizes (megapixels, rising) on both sides, and how far it is from the one to the other (0–1)."""
    megapixels = min(max(pixels / 1e6, sizes[0]), sizes[-1])
    after = sizes[bisect_left(sizes, megapixels)]
    before = sizes[max(0, bisect_left(sizes, megapixels) - 1)]
    return before, after, math.log(megapixels / before) / math.log(after / before) if after != before else 0.0


def _mix(low: float, high: float, part: float) -> float:
    return low + (high - low) * part


def _share_at(knots: Knots, percent: float) -> float:
    after = min(bisect_right(knots, percent, key=lambda knot: knot[0]), len(knots) - 1)
    (left, low), (right, high) = knots[after - 1], knots[after]
    return (low + (high - low) * (percent - left) / (right - left)) / 100
