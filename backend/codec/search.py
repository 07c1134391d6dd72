"""Finding a quality by trying: for a size in bytes, or for a score. Pure: ``encode`` and ``judge`` are the caller's."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

ENOUGH = 0.93
"""A result of this share of the target is taken; the contract promises 0.9."""
AIM = 0.97
MAX_PASSES = 8
FIRST_QUALITY = 75.0
NARROWEST = 0.25
"""Qualities closer than this hardly differ: libwebp has 128 quantizers."""


@dataclass(frozen=True, slots=True)
class Pass:
    quality: float
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)


@dataclass(frozen=True, slots=True)
class Found:
    """``is_met``: the target could be kept; else ``best`` is the smallest that there is."""

    best: Pass
    passes: int
    is_met: bool


def for_size(encode: Callable[[float], bytes], target_bytes: int) -> Found:
    """The highest quality whose file is no larger than ``target_bytes``, near enough (``ENOUGH``)."""
    below: Pass | None = None
    above: Pass | None = None
    quality, count = FIRST_QUALITY, 0
    for _pass in range(MAX_PASSES):
        count += 1
        tried = Pass(quality, encode(quality))
        if tried.size > target_bytes:
            above = tried
        else:
            below = tried
        if _is_done(below, above, target_bytes):
            break
        quality = _next(below, above, target_bytes)
    best = below or above
    assert best is not None
    return Found(best, count, below is not None)


def _is_done(below: Pass | None, above: Pass | None, target_bytes: int) -> bool:
    if below is not None and (below.size >= ENOUGH * target_bytes or below.quality >= 100):
        return True
    if above is not None and above.quality <= 0:
        return True
    return below is not None and above is not None and above.quality - below.quality < NARROWEST


def _next(below: Pass | None, above: Pass | None, target_bytes: int) -> float:
    """Bytes grow about exponentially with quality: a straight line through the logarithms, kept away from the ends of what is known."""
    wanted = math.log(AIM * target_bytes)
    if below is not None and above is not None:
        slope = (math.log(above.size) - math.log(below.size)) / (above.quality - below.quality)
        room = above.quality - below.quality
        quality = below.quality + (wanted - math.log(below.size)) / slope if slope > 0 else below.quality + room / 2
        return min(max(quality, below.quality + 0.1 * room), above.quality - 0.1 * room)
    known = below or above
    assert known is not None
    slope = 0.03 if known.quality < 80 or above is not None else 0.07
    return min(100.0, max(0.0, known.quality + (wanted - math.log(known.size)) / slope))


LOWEST, HIGHEST = 30.0, 97.0
"""Between these a score is looked for: below, a photograph falls apart between the places that were judged; above, bytes buy nothing."""
MAX_PROBES = 6
CLOSE_ENOUGH = 0.5
"""Points above the wanted score at which the search ends."""


def for_score(judge: Callable[[float], float], wanted: float) -> tuple[float, float]:
    """The lowest quality found to reach ``wanted``, and the score there; ``HIGHEST`` where none does."""
    low, high = (LOWEST, None), (HIGHEST, None)  # type: tuple[float, float | None], tuple[float, float | None]
    quality = FIRST_QUALITY
    for _probe in range(MAX_PROBES):
        reached = judge(quality)
        if reached >= wanted:
            high = (quality, reached)
        else:
            low = (quality, reached)
        if 0 <= reached - wanted <= CLOSE_ENOUGH or high[0] - low[0] < 1 or quality in (LOWEST, HIGHEST):
            break
        quality = _between(low, high, wanted)
    return high[0], high[1] if high[1] is not None else low[1] or 0.0


def _between(low: tuple[float, float | None], high: tuple[float, float | None], wanted: float) -> float:
    if low[1] is not None and high[1] is not None and high[1] > low[1]:
        room = high[0] - low[0]
        quality = low[0] + room * (wanted + CLOSE_ENOUGH / 2 - low[1]) / (high[1] - low[1])
        return min(max(quality, low[0] + 0.1 * room), high[0] - 0.1 * room)
    known, reached = low if low[1] is not None else high
    return min(HIGHEST, max(LOWEST, known + (wanted + CLOSE_ENOUGH / 2 - (reached or wanted)) / 0.6))
