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
MAX_PROBES = 4
FIRST_SLOPE = 0.8
"""Points of score for each step of quality, until two probes tell."""
STEEPNESS = 0.3, 2.0
APART = 0.7
"""Two probes closer than this would tell the same."""


def for_score(judge: Callable[[float], float], wanted: float) -> tuple[float, float]:
    """The quality at which the score reaches ``wanted``, and the score to expect there.

    A judgement wavers by a point from one quality to the next, so no single probe is believed: a line is laid through the nearest.
    """
    probes: list[tuple[float, float]] = []
    quality = FIRST_QUALITY
    for _probe in range(MAX_PROBES):
        probes.append((quality, judge(quality)))
        at, _slope = _line(probes, wanted)
        quality = min(HIGHEST, max(LOWEST, at))
        if any(abs(quality - tried) < APART for tried, _score in probes):
            if len(probes) >= 3 or quality in (LOWEST, HIGHEST):
                break
            quality += 2 * APART if quality < HIGHEST - 2 * APART else -2 * APART
    at, slope = _line(probes, wanted)
    quality = min(HIGHEST, max(LOWEST, at))
    return quality, wanted + slope * (quality - at)


def _line(probes: list[tuple[float, float]], wanted: float) -> tuple[float, float]:
    """Where the line through the three probes nearest to ``wanted`` reaches it, and its slope."""
    near = sorted(probes, key=lambda probe: abs(probe[1] - wanted))[:3]
    quality, reached = (sum(values) / len(near) for values in zip(*near, strict=True))
    spread = sum((each - quality) ** 2 for each, _score in near)
    slope = sum((each - quality) * (score - reached) for each, score in near) / spread if spread else FIRST_SLOPE
    slope = min(STEEPNESS[1], max(STEEPNESS[0], slope))
    return quality + (wanted - reached) / slope, slope
