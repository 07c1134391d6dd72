"""How far a conversion is, as one percent that never falls: the measured work of each stage, weighted by what the stage costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from backend.core.conversion import REPORT_EVERY_S, STAGES, Progress, Silence, Stage


class Meter:
    """``costs`` are relative times of the stages; ``every_s`` is the shortest time between two reports of one stage."""

    def __init__(self, costs: Mapping[Stage, float], on_progress: Callable[[Progress], None], every_s: float = REPORT_EVERY_S) -> None:
        self._on_progress, self._every_s = on_progress, every_s
        self._costs = costs
        self._starts, self._widths = _spans(costs)
        self._percent = 0.0
        self._stage: Stage | None = None
        self._reported_at_s = 0.0
        self._stage_since_s = time.monotonic()
        self.seconds: dict[str, float] = {}

    def advance(self, stage: Stage, share: float) -> None:
        """``share`` (0–1) of ``stage`` is done; reported where it is new and not too soon."""
        percent = self._starts[stage] + self._widths[stage] * min(1.0, max(0.0, share))
        now = time.monotonic()
        if stage == self._stage and (percent <= self._percent or now - self._reported_at_s < self._every_s):
            return
        if stage != self._stage:
            self._enter(stage, now)
        self._percent = max(self._percent, percent)
        self._reported_at_s = now
        self._on_progress(Progress(stage, round(self._percent, 2)))

    def announce(self, stage: Stage, share: float, next_share: float, cpu_s: float) -> None:
        """``share`` of ``stage`` is done. Nothing is told from here to ``next_share``, which takes about ``cpu_s`` of processor time."""
        self.advance(stage, share)
        until = self._starts[stage] + self._widths[stage] * min(1.0, max(share, next_share))
        self._reported_at_s = time.monotonic()
        self._on_progress(Progress(stage, round(self._percent, 2), Silence(min(100.0, round(max(self._percent, until), 2)), round(cpu_s, 4))))

    def cost_ms(self, stage: Stage) -> float:
        """As it was given."""
        return self._costs.get(stage, 0.0)

    def lap(self) -> dict[str, float]:
        """Seconds by stage, since the last call."""
        self._enter(self._stage, time.monotonic())
        seconds, self.seconds = self.seconds, {}
        return seconds

    def _enter(self, stage: Stage | None, now: float) -> None:
        if self._stage is not None:
            self.seconds[self._stage] = round(self.seconds.get(self._stage, 0.0) + now - self._stage_since_s, 4)
        self._stage, self._stage_since_s = stage, now


@dataclass(frozen=True, slots=True)
class EncodeMeter:
    """The stage ``encode``, as its encoder reports it. ``limit_s``: so much processor time is left for it.

    Of several encodes, each has a part of the stage: ``width`` of it, from ``start`` on.
    """

    meter: Meter
    limit_s: float
    start: float = 0.0
    width: float = 1.0

    def __call__(self, share: float) -> None:
        self.meter.advance("encode", self._of_stage(share))

    def announce(self, share: float, next_share: float, cpu_s: float) -> None:
        """As ``Meter.announce``."""
        self.meter.announce("encode", self._of_stage(share), self._of_stage(next_share), cpu_s)

    def part(self, start: float, width: float) -> EncodeMeter:
        """Of this one."""
        return replace(self, start=self._of_stage(start), width=self.width * width)

    def _of_stage(self, share: float) -> float:
        return self.start + self.width * min(1.0, max(0.0, share))


def _spans(costs: Mapping[Stage, float]) -> tuple[dict[Stage, float], dict[Stage, float]]:
    """Where each stage begins, and how wide it is, in percent."""
    total = sum(costs.values()) or 1.0
    widths = {stage: 100.0 * costs.get(stage, 0.0) / total for stage in STAGES}
    starts: dict[Stage, float] = {}
    at = 0.0
    for stage in STAGES:
        starts[stage] = at
        at += widths[stage]
    return starts, widths
