"""Takes a sample of the figures every ten seconds, for the last half hour on the operator's page. One gateway process at a time does it.

Samples lie in Redis, where every process reads them, and in a file of this machine. When Redis began anew, as the embedded one does with each
start, the file gives them back, and with them the totals that were counted ``before``. The metrics are left as they are: Prometheus knows by
itself that a counter began anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backend.ports.history import HistoryFile, Sample
from backend.web.request.context import WebContext
from backend.web.status.live_figures import LiveFigures

EVERY_S = 10.0
KEPT_SAMPLES = 180
"""Half an hour."""
KEPT_S = EVERY_S * KEPT_SAMPLES
DUTY = "historian"
DUTY_S = 15.0
"""Another process takes over this long after the holder died."""
MEASURE_EVERY_S = 300.0
"""The data folder is walked through; that is work for the disk."""
CHARTED = ("answer", "wait", "encode", "event")


@dataclass(slots=True)
class Historian:
    """One a process. Call ``record`` every ``EVERY_S``. ``folder_bytes`` says how much the data folder takes."""

    web: WebContext
    name: str
    file: HistoryFile
    folder_bytes: Callable[[], int]
    _figures: LiveFigures = field(init=False)
    _is_holder: bool = field(default=False)
    _data_bytes: int = field(default=0)
    _measured_s: float = field(default=-math.inf)

    def __post_init__(self) -> None:
        self._figures = LiveFigures(self.web, EVERY_S)

    def record(self) -> None:
        """Take a sample, if the duty is ours. Raises ``BackendUnavailable``."""
        context = self.web.context
        self._is_holder = context.duties.acquire(DUTY, self.name, DUTY_S)
        if not self._is_holder:
            self._figures.forget()
            return
        samples = context.history.samples() or self._restore()
        seen = self._figures.snapshot()
        if "totals" in seen:
            sample = self._sample(seen, samples[-1].get("before", {}) if samples else {})
            context.history.add(sample, KEPT_SAMPLES)
            self.file.save([*samples, sample][-KEPT_SAMPLES:])

    def finish(self) -> None:
        """Before this process ends: what was counted until now is on disk, and the next one need not wait. Raises ``BackendUnavailable``."""
        if self._is_holder:
            self.record()
            self.web.context.duties.acquire(DUTY, self.name, 0.001)

    def _restore(self) -> list[Sample]:
        """What the last start left, into a Redis that has nothing. Its totals are those ``before`` from now on."""
        found = self.file.load()
        if not found:
            return []
        before = found[-1].get("totals", {})
        now = self.web.context.clock()
        samples = [{**each, "before": before} for each in found if now - KEPT_S <= each["at"] <= now] or [{"at": found[-1]["at"], "before": before}]
        self.web.context.history.restore(samples)
        return samples

    def _sample(self, seen: Mapping[str, Any], before: Mapping[str, float]) -> Sample:
        latencies = {name: [found["p50"], found["p95"]] if (found := seen["latencies"][name]) else None for name in CHARTED}
        return {
            "at": round(seen["at"], 1),
            "queue": seen["queue"]["waiting"],
            "encoders": seen["encoders"]["busy"],
            "throughput": seen["per_minute"]["ended"],
            "clients": int(sum(count for kind, count in seen["clients"].items() if kind != "http")),
            **latencies,
            "failed": seen["failed"],
            "refused": seen["refused"],
            "totals": totals_since_ever(seen["totals"], before),
            "before": dict(before),
            "data_bytes": self._measured_bytes(seen["at"]),
        }

    def _measured_bytes(self, now: float) -> int:
        if now - self._measured_s >= MEASURE_EVERY_S:
            self._measured_s = now
            self._data_bytes = self.folder_bytes()
        return self._data_bytes


def totals_since_ever(totals: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    return {name: round(count + before.get(name, 0)) for name, count in totals.items()}


def newer(samples: Sequence[Sample], than_s: float) -> list[Sample]:
    """Those taken after that, without what only the next start needs."""
    return [{name: value for name, value in each.items() if name not in ("before", "totals")} for each in samples if each["at"] > than_s]
