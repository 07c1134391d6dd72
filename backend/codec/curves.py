"""libwebp's percent as a share of encoding time, by kind and method: data, measured.

The percent is fine-grained and far from linear: with method 4, four fifths of the time lie between 19 and 38. A bar that people can read
maps it through the time at which a photograph typically reaches each value. Made by ``python -m bench.codec_curves`` over six
photographs and three transparent graphics at up to 2600 pixels a side, quality 80, libwebp 1.6.0; medians.

``alpha`` is lossy with transparency. While libwebp compresses the alpha plane it calls nothing, between 19 and 20: the bar stands still there,
which is the truth, and the step that follows is that phase's own measured share.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

from backend.core.options import Options

Curve = Callable[[float], float]
Knots = tuple[tuple[int, int], ...]

# kind → method → (percent, percent of the time), straight in between and to both ends.
KNOTS: dict[str, tuple[Knots, ...]] = {
    "lossy": (
        ((1, 30), (19, 37), (23, 43), (39, 45), (50, 77), (56, 90), (58, 96), (78, 99)),
        ((1, 26), (19, 33), (39, 55), (49, 79), (58, 96)),
        ((1, 21), (19, 34), (39, 58), (52, 84), (58, 93)),
        ((1, 9), (19, 17), (38, 84), (58, 98)),
        ((1, 9), (19, 16), (38, 84), (58, 98)),
        ((1, 8), (19, 14), (33, 68), (38, 85), (58, 98)),
        ((1, 4), (19, 6), (23, 25), (34, 71), (38, 90), (58, 99)),
    ),
    "lossless": (
        ((40, 2), (41, 17), (42, 29), (43, 43), (45, 74), (46, 87), (47, 96)),
        ((2, 0), (3, 2), (19, 14), (34, 14), (49, 25), (68, 26), (70, 65), (71, 79), (74, 83), (77, 90), (84, 99)),
        ((2, 0), (3, 2), (19, 13), (34, 13), (49, 24), (68, 25), (69, 48), (70, 66), (71, 81), (77, 90), (84, 99)),
        ((2, 0), (4, 3), (19, 13), (34, 13), (49, 24), (68, 25), (69, 48), (70, 65), (71, 77), (77, 90), (84, 99)),
        ((2, 0), (3, 3), (18, 17), (34, 18), (50, 33), (68, 34), (70, 69), (71, 82), (77, 91), (84, 99)),
        ((2, 0), (3, 2), (19, 16), (34, 16), (50, 40), (68, 41), (70, 71), (71, 82), (77, 92), (84, 99)),
        ((2, 0), (19, 16), (34, 16), (50, 40), (68, 40), (69, 57), (70, 72), (71, 81), (77, 92), (84, 99)),
    ),
    "near_lossless": (
        ((40, 2), (41, 17), (42, 29), (46, 86), (47, 96), (86, 98)),
        ((2, 0), (4, 7), (9, 19), (17, 42), (18, 43), (19, 46), (34, 46), (49, 53), (68, 53), (69, 66), (70, 77), (71, 85), (77, 90), (84, 99)),
        ((2, 0), (17, 43), (18, 44), (19, 47), (34, 47), (49, 52), (68, 52), (70, 78), (71, 87), (84, 99)),
        ((2, 0), (10, 21), (17, 42), (18, 43), (19, 46), (34, 46), (49, 52), (68, 53), (69, 64), (70, 78), (71, 86), (77, 91), (84, 99)),
        ((2, 0), (19, 49), (34, 49), (50, 57), (68, 57), (70, 79), (71, 87), (84, 99)),
        ((2, 0), (19, 46), (34, 46), (50, 56), (68, 56), (69, 69), (70, 78), (71, 84), (84, 96), (91, 97), (93, 99)),
        ((2, 0), (19, 45), (34, 45), (50, 55), (68, 56), (69, 69), (70, 81), (71, 89), (84, 99)),
    ),
    "sharp": (
        ((1, 73), (19, 76), (23, 78), (39, 79), (58, 98)),
        ((1, 66), (19, 69), (39, 80), (58, 98)),
        ((1, 60), (19, 67), (39, 79), (58, 97)),
        ((1, 39), (19, 44), (38, 89), (58, 99)),
        ((1, 40), (19, 44), (38, 89), (58, 99)),
        ((1, 36), (19, 40), (38, 89), (58, 99)),
        ((1, 20), (19, 22), (25, 45), (34, 76), (38, 92), (58, 99)),
    ),
    "alpha": (
        ((1, 21), (19, 31), (20, 66), (23, 69), (39, 70), (47, 80), (52, 91), (58, 97)),
        ((1, 16), (19, 25), (20, 57), (33, 70), (42, 78), (47, 84), (53, 94), (58, 98)),
        ((1, 14), (19, 33), (20, 62), (33, 74), (42, 80), (47, 85), (53, 94), (58, 98)),
        ((1, 8), (19, 17), (20, 38), (26, 55), (32, 76), (38, 93), (58, 99)),
        ((1, 6), (19, 14), (20, 41), (26, 57), (33, 82), (38, 94), (58, 99)),
        ((1, 6), (19, 14), (20, 38), (26, 55), (33, 81), (38, 94), (58, 99)),
        ((19, 2), (20, 90), (27, 93), (33, 98), (38, 99)),
    ),
}


def of(options: Options, *, has_alpha: bool) -> Curve:
    """From libwebp's percent to the share (0–1) of the time."""
    knots = ((0, 0), *KNOTS[kind(options, has_alpha=has_alpha)][options.method], (100, 100))
    return lambda percent: _between(knots, percent)


def kind(options: Options, *, has_alpha: bool) -> str:
    if options.near_lossless is not None:
        return "near_lossless"
    if options.lossless:
        return "lossless"
    return "alpha" if has_alpha else "sharp" if options.sharp_yuv else "lossy"


def _between(knots: Knots, percent: float) -> float:
    after = min(bisect_right(knots, percent, key=lambda knot: knot[0]), len(knots) - 1)
    (left, low), (right, high) = knots[after - 1], knots[after]
    return (low + (high - low) * (percent - left) / (right - left)) / 100
