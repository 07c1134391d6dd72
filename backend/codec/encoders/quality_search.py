"""Finding a quality by trying: for a size in bytes, or for a score. Pure: ``encode`` and ``judge`` are the caller's."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

ENOUGH = 0.92
"""A result of this share of the target is taken; the contract promises 0.9."""
AIM = 0.965
MAX_PASSES = 8
FIRST_QUALITY = 75.0
NARROWEST = 0.004
"""Of ``_level``: half a step of libwebp's 128 quantizers. Nothing lies between."""

LEVELS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.794, 0.85, 0.9, 0.95, 0.97, 0.985, 1.0)
GROWTH = (-2.2, -2.0, -1.76, -1.5, -1.22, -0.93, -0.61, -0.31, 0.0, 0.21, 0.47, 0.82, 1.0, 1.15, 1.58)
"""Natural logarithm of a photograph's bytes at each level over those at quality 75: medians of the corpus. Along it, pictures differ by little
more than a shift and a slope, so that the second or third pass meets a size."""


@dataclass(frozen=True, slots=True)
class Pass:
    quality: float
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def place(self) -> tuple[float, float]:
        """On a plane where sizes lie nearly on a line: ``GROWTH`` and the logarithm of the bytes."""
        return _along(LEVELS, GROWTH, _level(self.quality)), math.log(self.size)


@dataclass(frozen=True, slots=True)
class Found:
    """``is_met``: the target could be kept; else ``best`` is the smallest that there is."""

    best: Pass
    passes: int
    is_met: bool


def for_size(encode: Callable[[float], bytes], target_bytes: int) -> Found:
    """The highest quality whose file is no larger than ``target_bytes``, near enough (``ENOUGH``)."""
    tried: list[Pass] = []
    quality = FIRST_QUALITY
    while True:
        tried.append(Pass(quality, encode(quality)))
        below = max((each for each in tried if each.size <= target_bytes), key=lambda each: each.size, default=None)
        above = min((each for each in tried if each.size > target_bytes), key=lambda each: each.size, default=None)
        if len(tried) >= MAX_PASSES or _is_done(below, above, target_bytes):
            break
        quality = _next(tried, below, above, target_bytes)
        if len(tried) == MAX_PASSES - 1 and below is None:
            quality = 0.0
    best = below or above
    assert best is not None
    return Found(best, len(tried), below is not None)


def _is_done(below: Pass | None, above: Pass | None, target_bytes: int) -> bool:
    if below is not None and (below.size >= ENOUGH * target_bytes or below.quality >= 100):
        return True
    if above is not None and above.quality <= 0:
        return True
    return below is not None and above is not None and _level(above.quality) - _level(below.quality) < NARROWEST


def _next(tried: list[Pass], below: Pass | None, above: Pass | None, target_bytes: int) -> float:
    """Along the line through two passes: those around the target, or the last two where both lie on one side of it."""
    wanted = math.log(AIM * target_bytes)
    if below is not None and above is not None:
        is_one_sided = len(tried) > 2 and (tried[-1].size > target_bytes) == (tried[-2].size > target_bytes)
        return _between(below, above, tried[-2:] if is_one_sided else [below, above], wanted)
    at, size = tried[-1].place
    step = (wanted - size) / (_slope(*tried[-2:]) if len(tried) > 1 else 1.0)
    step += math.copysign(0.05 * len(tried), step)  # rather past the target than short of it once more
    return _quality(_along(GROWTH, LEVELS, at + step))


def _slope(one: Pass, other: Pass) -> float:
    """Sizes of pictures with much transparency hardly change with the quality."""
    (left, low), (right, high) = one.place, other.place
    return min(3.0, max(0.1, (high - low) / (right - left))) if left != right else 1.0


def _between(below: Pass, above: Pass, guides: list[Pass], wanted: float) -> float:
    """Where the line through ``guides`` passes the size, kept away from both passes around it."""
    (left, _low), (right, _high) = below.place, above.place
    at, size = guides[-1].place
    share = (at + (wanted - size) / _slope(*guides) - left) / (right - left)
    return _quality(_along(GROWTH, LEVELS, left + min(0.92, max(0.08, share)) * (right - left)))


def _level(quality: float) -> float:
    """libwebp's own scale of quantizers, 0 to 1 (``QualityToCompression`` in ``src/enc/quant_enc.c``)."""
    share = quality / 100
    return float((share * 2 / 3 if share < 0.75 else 2 * share - 1) ** (1 / 3))


def _quality(level: float) -> float:
    """``_level`` reversed."""
    share = level**3
    return 100 * (share * 1.5 if share < 0.5 else (share + 1) / 2)


def _along(given: tuple[float, ...], wanted: tuple[float, ...], value: float) -> float:
    """Straight lines between the points of a table, and its ends beyond them."""
    value = min(given[-1], max(given[0], value))
    after = max(1, bisect_left(given, value))
    share = (value - given[after - 1]) / (given[after] - given[after - 1])
    return wanted[after - 1] + share * (wanted[after] - wanted[after - 1])


LOWEST, HIGHEST = 30.0, 97.0
"""Between these a score is looked for: below, a photograph falls apart between the places that were judged; above, bytes buy nothing."""
MAX_PROBES = 4
FIRST_LOOK = 78.0
"""The median photograph's quality at the score that is looked for."""
FIRST_SLOPE, SLOPE_A_POINT, FIRST_SLOPES = 0.75, -0.085, (0.45, 1.25)
"""Points of score for each step of quality, at the wanted score and for each point above it, until two probes tell: what suffers much gains much."""
STEEPNESS = 0.4, 1.8
NEAR_ENOUGH = 0.6
"""Points above the wanted score that are let be: they cost a hundredth of the bytes, and another probe an encode."""
AIM_ABOVE, LAST_AIM_ABOVE = 0.3, 1.0
"""The last probe, where none was good, goes rather past the score than short of it once more; twice as far where it is the second."""
APART = 0.5
"""A score wavers by half a point from one quality to the next, so closer probes tell nothing."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One encode, and how it looks."""

    quality: float
    score: float
    data: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """``best`` is the smallest file that looks as good as wanted, or the best-looking where none does."""

    best: Probe
    probes: int


def for_score(probe: Callable[[float], Probe], wanted: float, lowest: float = LOWEST, most: int = MAX_PROBES) -> Seen:
    """The smallest file whose score is at least ``wanted``, near enough. The result is one of the probes: what is promised was seen."""
    tried: list[Probe] = []
    quality = max(lowest, FIRST_LOOK)
    while True:
        tried.append(probe(quality))
        good = min((each for each in tried if each.score >= wanted), key=lambda each: len(each.data), default=None)
        poor = max((each for each in tried if each.score < wanted), key=lambda each: each.quality, default=None)
        if len(tried) >= most or _is_seen(good, poor, wanted, lowest):
            break
        quality = min(HIGHEST, max(lowest, _next_look(tried, good, poor, wanted, is_last=len(tried) + 1 == most)))
    return Seen(good or max(tried, key=lambda each: each.score), len(tried))


def _is_seen(good: Probe | None, poor: Probe | None, wanted: float, lowest: float) -> bool:
    if good is not None and (good.score <= wanted + NEAR_ENOUGH or good.quality <= lowest):
        return True
    if poor is not None and poor.quality >= HIGHEST:
        return True
    return good is not None and poor is not None and good.quality - poor.quality < APART


def _next_look(tried: list[Probe], good: Probe | None, poor: Probe | None, wanted: float, *, is_last: bool) -> float:
    """Along the line through the two probes around the score; where all lie on one side, along the line through the two furthest apart."""
    if good is not None and poor is not None and good.quality > poor.quality:
        share = (wanted + AIM_ABOVE - poor.score) / (good.score - poor.score)
        return poor.quality + min(0.9, max(0.1, share)) * (good.quality - poor.quality)
    aim = LAST_AIM_ABOVE * (2 if len(tried) == 1 else 1) if is_last and good is None else AIM_ABOVE
    return tried[-1].quality + (wanted + aim - tried[-1].score) / _steepness(tried, wanted)


def _steepness(tried: list[Probe], wanted: float) -> float:
    if len(tried) == 1:
        return _within(FIRST_SLOPES, FIRST_SLOPE + SLOPE_A_POINT * (tried[0].score - wanted))
    one, other = (choose(tried, key=lambda each: each.quality) for choose in (min, max))
    return _within(STEEPNESS, (other.score - one.score) / (other.quality - one.quality or 1.0))


def _within(ends: tuple[float, float], value: float) -> float:
    return min(ends[1], max(ends[0], value))
