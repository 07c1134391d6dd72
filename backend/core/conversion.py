"""One conversion, as the flows ask for it and as the codec answers: values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from backend.core.limits import Limits
from backend.core.options import Options

Stage = Literal["decode", "transform", "encode", "store"]
STAGES: tuple[Stage, ...] = ("decode", "transform", "encode", "store")
REPORT_EVERY_S = 0.053
"""Every second report can be passed on, ten times a second at most. Each wakes the process that watches: time that the image does not get."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What an image's header declares. ``frames`` is 1 for a still."""

    format: str
    width: int
    height: int
    frames: int = 1

    @property
    def pixels(self) -> int:
        return self.width * self.height * self.frames


@dataclass(frozen=True, slots=True)
class Conversion:
    """The order: what the source declares, what is wanted, within which bounds, and how often progress is reported at most."""

    shape: Shape
    options: Options
    limits: Limits
    timeout_s: float = 60.0
    report_every_s: float = REPORT_EVERY_S


@dataclass(frozen=True, slots=True)
class Progress:
    """Measured work so far: ``percent`` (0–100) is over decode, transform and encode together and never falls."""

    stage: Stage
    percent: float


@dataclass(frozen=True, slots=True)
class Converted:
    """The result as written. ``facts`` holds what only some conversions report (probes, score, seconds by stage)."""

    bytes: int
    width: int
    height: int
    frames: int
    facts: dict[str, Any] = field(default_factory=dict)


class Stopped(Exception):
    """The conversion was ended because nobody wants it any more: cancelled, deleted, or taken over by another encoder."""
