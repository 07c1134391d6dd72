"""libwebp's percent as a share of encoding time, by kind, method and size, and what an encode costs: read from ``measured``.

The percent is fine-grained and far from linear: with method 4, four fifths of the time lie between 19 and 38. A bar that people can read
maps it through the time at which a photograph typically reaches each value. Between measured sizes it goes by the logarithm of the pixels.

``alpha`` is lossy with transparency. While libwebp compresses the alpha plane it calls nothing, between 19 and 20; what is shown then is in
``cpu_progress``, and the step that follows is that phase's own measured share.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

from backend.codec.progress.measured import KNOTS, MS_PER_MEGAPIXEL, Knots
from backend.core.options import Options

Curve = Callable[[float], float]


def of(options: Options, pixels: int, *, has_alpha: bool) -> Curve:
    """From libwebp's percent to the share (0–1) of the time, for a picture of so many pixels."""
    sizes = KNOTS[kind(options, has_alpha=has_alpha)]
    before, after, part = _around(list(sizes), pixels)
    low, high = (((0, 0), *sizes[size][options.method], (100, 100)) for size in (before, after))
    return lambda percent: _mixed(_between(low, percent), _between(high, percent), part)


def cost_ms(options: Options, pixels: int, *, has_alpha: bool) -> float:
    """Milliseconds that one encode takes on the machine where ``measured`` was made: good as a weight beside other costs from there."""
    sizes = MS_PER_MEGAPIXEL[kind(options, has_alpha=has_alpha)]
    before, after, part = _around(list(sizes), pixels)
    return _mixed(sizes[before][options.method], sizes[after][options.method], part) * pixels / 1e6


def kind(options: Options, *, has_alpha: bool) -> str:
    if options.near_lossless is not None:
        return "near_lossless"
    if options.lossless:
        return "lossless"
    return "alpha" if has_alpha else "sharp" if options.sharp_yuv else "lossy"


def _around(sizes: Sequence[float], pixels: int) -> tuple[float, float, float]:
    """The measured sizes (megapixels, rising) on both sides, and how far it is from the one to the other (0–1)."""
    megapixels = min(max(pixels / 1e6, sizes[0]), sizes[-1])
    after = sizes[bisect_left(sizes, megapixels)]
    before = sizes[max(0, bisect_left(sizes, megapixels) - 1)]
    return before, after, math.log(megapixels / before) / math.log(after / before) if after != before else 0.0


def _mixed(low: float, high: float, part: float) -> float:
    return low + (high - low) * part


def _between(knots: Knots, percent: float) -> float:
    after = min(bisect_right(knots, percent, key=lambda knot: knot[0]), len(knots) - 1)
    (left, low), (right, high) = knots[after - 1], knots[after]
    return (low + (high - low) * (percent - left) / (right - left)) / 100
