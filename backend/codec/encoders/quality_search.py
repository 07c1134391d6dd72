"""Finding a quality by trying: for a size in bytes, or for a score. Pure: the caller encodes and scores."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

MIN_TARGET_SHARE = 0.92
"""A file with this share of the target's bytes is accepted; the contract promises 0.9."""
AIM_SHARE = 0.965
"""Of the target's bytes: what each pass aims at."""
MAX_PASSES = 8
MIN_LEVEL_STEP = 0.004
"""On the scale of ``_level_of``: half a step of libwebp's 128 quantizers. Closer levels give the same file."""

LEVELS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.794, 0.85, 0.9, 0.95, 0.97, 0.985, 1.0)
GROWTH = (-2.2, -2.0, -1.76, -1.5, -1.22, -0.93, -0.61, -0.31, 0.0, 0.21, 0.47, 0.82, 1.0, 1.15, 1.58)
"""Natural logarithm of a photograph's bytes at each level over those at quality 75: medians of the corpus. Plotted against it, the sizes of most
pictures lie nearly on a line, so that the second or third pass meets a target."""


class OutOfTime(Exception):
    """Raised by what encodes for a search, where another pass would not end in time: the search ends with the best so far."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One encode of a search for a size."""

    quality: float
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def point(self) -> tuple[float, float]:
        """``GROWTH`` at this quality, and the logarithm of the bytes."""
        return _interpolate(LEVELS, GROWTH, _level_of(self.quality)), math.log(self.size)


@dataclass(frozen=True, slots=True)
class SizeResult:
    """``is_met``: ``best`` keeps the target; else it is the smallest file that the search found. ``passes`` counts the first one."""

    best: Pass
    passes: int
    is_met: bool


def search_by_size(encode: Callable[[float], bytes], target_bytes: int, first: Pass, max_passes: int = MAX_PASSES) -> SizeResult:
    """``first``, encoded at the quality asked for, where it has at most ``target_bytes``. Else a file of a lower quality that has at most so many,
    and where possible at least ``MIN_TARGET_SHARE`` of them. So the result is never larger than ``first``."""
    tried = [first]
    while True:
        below = max((each for each in tried if each.size <= target_bytes), key=lambda each: each.size, default=None)
        above = min((each for each in tried if each.size > target_bytes), key=lambda each: each.size, default=None)
        if len(tried) >= max_passes or above is None or _is_done(below, above, target_bytes):
            break
        quality = min(first.quality, _next_quality(tried, below, above, target_bytes))
        if len(tried) == max_passes - 1 and below is None:
            quality = 0.0
        try:
            tried.append(Pass(quality, encode(quality)))
        except OutOfTime:
            break
    best = below or above
    assert best is not None
    return SizeResult(best, len(tried), below is not None)


def _is_done(below: Pass | None, above: Pass, target_bytes: int) -> bool:
    if below is None:
        return above.quality <= 0
    return below.size >= MIN_TARGET_SHARE * target_bytes or _level_of(above.quality) - _level_of(below.quality) < MIN_LEVEL_STEP


def _next_quality(tried: list[Pass], below: Pass | None, above: Pass, target_bytes: int) -> float:
    """On the line through two passes: those around the target, or the last two where both lie on one side of it."""
    wanted = math.log(AIM_SHARE * target_bytes)
    if below is not None:
        is_one_sided = len(tried) > 2 and (tried[-1].size > target_bytes) == (tried[-2].size > target_bytes)
        return _quality_between(below, above, tried[-2:] if is_one_sided else [below, above], wanted)
    at, size = tried[-1].point
    step = (wanted - size) / (_slope(*tried[-2:]) if len(tried) > 1 else 1.0)
    step += math.copysign(0.05 * len(tried), step)  # passing the target tells more than falling short of it again
    return _quality_of(_interpolate(GROWTH, LEVELS, at + step))


def _slope(one: Pass, other: Pass) -> float:
    """Bounded: sizes of pictures with much transparency hardly change with the quality."""
    (left, low), (right, high) = one.point, other.point
    return min(3.0, max(0.1, (high - low) / (right - left))) if left != right else 1.0


def _quality_between(below: Pass, above: Pass, guides: list[Pass], wanted: float) -> float:
    """Where the line through ``guides`` passes the size ``wanted`` (a logarithm), kept away from both passes around it."""
    (left, _low), (right, _high) = below.point, above.point
    at, size = guides[-1].point
    share = (at + (wanted - size) / _slope(*guides) - left) / (right - left)
    return _quality_of(_interpolate(GROWTH, LEVELS, left + min(0.92, max(0.08, share)) * (right - left)))


def _level_of(quality: float) -> float:
    """libwebp's own scale of quantizers, 0 to 1 (``QualityToCompression`` in ``src/enc/quant_enc.c``)."""
    share = quality / 100
    return float((share * 2 / 3 if share < 0.75 else 2 * share - 1) ** (1 / 3))


def _quality_of(level: float) -> float:
    """The inverse of ``_level_of``."""
    share = level**3
    return 100 * (share * 1.5 if share < 0.5 else (share + 1) / 2)


def _interpolate(given: tuple[float, ...], wanted: tuple[float, ...], value: float) -> float:
    """Linear between the points of a table, constant beyond its ends."""
    value = min(given[-1], max(given[0], value))
    after = max(1, bisect_left(given, value))
    share = (value - given[after - 1]) / (given[after] - given[after - 1])
    return wanted[after - 1] + share * (wanted[after] - wanted[after - 1])


LOWEST, HIGHEST = 30.0, 97.0
"""The range of a search for a score. Below, a photograph falls apart between the places that are scored; above, more bytes bring no higher score."""
MAX_PROBES = 4
FIRST_PROBE = 78.0
"""The median photograph's quality at the wanted score."""
FIRST_SLOPE, SLOPE_A_POINT, FIRST_SLOPES = 0.75, -0.085, (0.45, 1.25)
"""Points of score for each step of quality before two probes show it: at the wanted score, its change with each point above, and its bounds."""
SLOPES = 0.4, 1.8
SCORE_TOLERANCE = 0.6
"""Points above the wanted score that are accepted: they cost 1 % of the bytes, and another probe costs an encode."""
AIM_MARGIN, LAST_AIM_MARGIN = 0.3, 1.0
"""Points above the wanted score that a probe aims at. The last probe aims higher where none was good, and twice as high where it is the second."""
MIN_QUALITY_STEP = 0.5
"""A score varies by half a point from one quality to the next, so closer probes bring nothing."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One encode and its score."""

    quality: float
    score: float
    data: bytes


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """``best`` is the smallest file that has the wanted score, or the one with the highest score where none has it."""

    best: Probe
    probes: int


def search_by_score(probe: Callable[[float], Probe], wanted: float, lowest: float = LOWEST, max_probes: int = MAX_PROBES) -> ScoreResult:
    """The smallest file found whose score is at least ``wanted``. It is one of the probes, so its score was measured."""
    tried: list[Probe] = []
    quality = max(lowest, FIRST_PROBE)
    while True:
        try:
            tried.append(probe(quality))
        except OutOfTime:
            break
        good = min((each for each in tried if each.score >= wanted), key=lambda each: len(each.data), default=None)
        poor = max((each for each in tried if each.score < wanted), key=lambda each: each.quality, default=None)
        if len(tried) >= max_probes or _is_found(good, poor, wanted, lowest):
            break
        quality = min(HIGHEST, max(lowest, _next_probe(tried, good, poor, wanted, is_last=len(tried) + 1 == max_probes)))
    return ScoreResult(good or max(tried, key=lambda each: each.score), len(tried))


def _is_found(good: Probe | None, poor: Probe | None, wanted: float, lowest: float) -> bool:
    if good is not None and (good.score <= wanted + SCORE_TOLERANCE or good.quality <= lowest):
        return True
    if poor is not None and poor.quality >= HIGHEST:
        return True
    return good is not None and poor is not None and good.quality - poor.quality < MIN_QUALITY_STEP


def _next_probe(tried: list[Probe], good: Probe | None, poor: Probe | None, wanted: float, *, is_last: bool) -> float:
    """On the line through the two probes around the score; where all lie on one side of it, on the line through the two furthest apart."""
    if good is not None and poor is not None and good.quality > poor.quality:
        share = (wanted + AIM_MARGIN - poor.score) / (good.score - poor.score)
        return poor.quality + min(0.9, max(0.1, share)) * (good.quality - poor.quality)
    aim = LAST_AIM_MARGIN * (2 if len(tried) == 1 else 1) if is_last and good is None else AIM_MARGIN
    return tried[-1].quality + (wanted + aim - tried[-1].score) / _score_slope(tried, wanted)


def _score_slope(tried: list[Probe], wanted: float) -> float:
    if len(tried) == 1:
        return _clamp(FIRST_SLOPES, FIRST_SLOPE + SLOPE_A_POINT * (tried[0].score - wanted))
    one, other = (choose(tried, key=lambda each: each.quality) for choose in (min, max))
    return _clamp(SLOPES, (other.score - one.score) / (other.quality - one.quality or 1.0))


def _clamp(ends: tuple[float, float], value: float) -> float:
    return min(ends[1], max(ends[0], value))
