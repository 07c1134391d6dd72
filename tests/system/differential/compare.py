"""Two pictures that should be one: in what they differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy

from tests.support.chromium_pictures import Animation, Pixels, difference

SAME_STEPS = 1.01
"""Rounding of a colour under alpha: one step of 255."""


@dataclass(frozen=True)
class Tolerance:
    """In steps of 255. A frame is right if its worst pixel is within ``most``, or its average within ``mean``."""

    most: float = SAME_STEPS
    mean: float = 0.0


@dataclass(frozen=True)
class Difference:
    """``what`` is a word of the table of meant differences; ``detail`` is for people."""

    what: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.what} {self.detail}".strip()


@dataclass(frozen=True)
class Shown:
    """A picture for as long as it stands. ``frames`` counts those that were joined, since they are equal."""

    pixels: Pixels
    duration_ms: float
    frames: int


def differences(ours: Animation, theirs: Animation, tolerance: Tolerance) -> list[Difference]:
    """The first that is found of each kind; none, if both look the same from beginning to end."""
    if (ours.width, ours.height) != (theirs.width, theirs.height):
        return [Difference("size", f"{ours.width}×{ours.height}, not {theirs.width}×{theirs.height}")]
    mine, its = timeline(ours), timeline(theirs)
    if len(mine) != len(its):
        return [Difference("frames", f"{len(mine)}, not {len(its)} that differ (of {len(ours.frames)}, {len(theirs.frames)})")]
    found = [each for number, (one, other) in enumerate(zip(mine, its, strict=True)) for each in _of_frame(number, one, other, tolerance)]
    is_still = len(its) == 1
    times = [(one.duration_ms, other.duration_ms) for one, other in zip(mine, its, strict=True)]
    if not is_still and any(abs(one - other) > max(1.0, 0.51 * each.frames) for (one, other), each in zip(times, its, strict=True)):
        found.append(Difference("durations", f"{[one for one, _ in times]}, not {[other for _, other in times]} ms"))
    if not is_still and ours.plays != theirs.plays:
        found.append(Difference("plays", f"{ours.plays}, not {theirs.plays}"))
    return list({each.what: each for each in reversed(found)}.values())


def _of_frame(number: int, ours: Shown, theirs: Shown, tolerance: Tolerance) -> list[Difference]:
    distance = difference(ours.pixels, theirs.pixels)
    if distance.max() <= tolerance.most or distance.mean() <= tolerance.mean:
        return []
    y, x = (int(each) for each in numpy.unravel_index(distance.max(2).argmax(), distance.shape[:2]))
    wrong = int((distance.max(2) > tolerance.most).sum())
    pair = f"{ours.pixels[y, x].tolist()}, not {theirs.pixels[y, x].tolist()}"
    return [Difference("pixels", f"frame {number}: {wrong} of {distance[..., 0].size}, mean {distance.mean():.2f}; at ({x}, {y}) {pair}")]


def timeline(animation: Animation) -> list[Shown]:
    """Its pictures, equal ones that follow each other joined: an encoder may do that, nobody sees it."""
    found: list[Shown] = []
    for frame in animation.frames:
        if found and difference(found[-1].pixels, frame.pixels).max() <= SAME_STEPS:
            last = found.pop()
            found.append(Shown(last.pixels, last.duration_ms + frame.duration_ms, last.frames + 1))
        else:
            found.append(Shown(frame.pixels, frame.duration_ms, 1))
    return found
