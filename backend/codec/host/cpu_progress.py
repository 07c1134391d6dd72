"""The progress of a child that has reported nothing for a while, from the processor time it has used since.

libwebp calls its hook rarely in some phases: never while it compresses transparency, and at intervals of a second or more while it packs a
large image without loss. Then the pace is that of the child's own reports. libaom tells nothing at all: its child forecasts what the silence will
cost (``Silence``), and that is the pace. The estimate is measured work too: a child that waits or is stopped uses no processor time. The next
report corrects it; then the bar waits and never goes back.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

from backend.core.conversion import Silence

MIN_PERCENT, MIN_S = 0.2, 0.005
"""Reported, and used for it. Below these there is no pace to estimate from."""
LINEAR_SHARE = 0.7
"""Of the way to the end, the estimate follows the pace. From there on it slows down and never arrives, since the pace of what is left may differ."""
FORECAST_LINEAR_SHARE = 0.85
"""The same where the child has forecast the whole of its silence: a forecast is nearer than a pace so far (``bench/avif_time.py``)."""
CREEP_SHARE = 0.25
"""Of the pace, while the bar is ahead of the child's last report: so the report catches up, and the bar never stands."""
SCHEDSTAT_BYTES = 128


@dataclass(frozen=True, slots=True)
class Pace:
    """From a child's report of ``percent`` on: so many percent ``a_second`` of processor time, 0 where that is unknown, towards ``until_percent``."""

    percent: float = 0.0
    a_second: float = 0.0
    until_percent: float = 100.0
    linear_share: float = LINEAR_SHARE

    @classmethod
    def after(cls, percent: float, used_s: float, silence: Silence | None) -> Pace:
        """``percent`` was reported after ``used_s`` of processor time."""
        if silence is not None and silence.cpu_s >= MIN_S:
            return cls(percent, (silence.until_percent - percent) / silence.cpu_s, silence.until_percent, FORECAST_LINEAR_SHARE)
        is_too_early = percent < MIN_PERCENT or used_s < MIN_S
        return cls(percent, 0.0 if is_too_early else percent / used_s)


class CpuProgress:
    """Of the child ``pid``, which has just taken its order. Only Linux tells another process' time; elsewhere nothing is estimated. To be closed."""

    def __init__(self, pid: int) -> None:
        try:
            self._schedstat_fd = os.open(f"/proc/{pid}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._schedstat_fd = -1
        self._before_s = self._processor_s()
        self._used_s = self._passed_on_s = 0.0
        self._pace = Pace()

    def close(self) -> None:
        if self._schedstat_fd >= 0:
            os.close(self._schedstat_fd)
            self._schedstat_fd = -1

    def note_report(self, percent: float, silence: Silence | None) -> None:
        """The child itself reported ``percent``, and perhaps what its silence will cost."""
        self._used_s = self._processor_s() - self._before_s
        self._pace = Pace.after(percent, self._used_s, silence)

    def note_passed_on(self) -> None:
        """A percent was passed on to the caller: a report or an estimate."""
        self._passed_on_s = self._processor_s() - self._before_s

    def percent(self, shown: float) -> float:
        """The estimate by now. ``shown`` was passed on last."""
        now_s = self._processor_s() - self._before_s
        percent = expected_percent(self._pace, now_s - self._used_s)
        return percent if percent > shown else creeping_percent(shown, self._pace, now_s - self._passed_on_s)

    def _processor_s(self) -> float:
        """Scheduler statistics: the first number is the nanoseconds spent on a processor (proc(5))."""
        try:
            return int(os.pread(self._schedstat_fd, SCHEDSTAT_BYTES, 0).split()[0]) / 1e9
        except (OSError, IndexError):
            return 0.0


def expected_percent(pace: Pace, since_s: float) -> float:
    """``since_s`` of processor time after the report."""
    room = pace.until_percent - pace.percent
    if not pace.a_second or since_s <= 0 or room <= 0:
        return pace.percent
    ahead, linear, slow = pace.a_second * since_s, pace.linear_share * room, (1 - pace.linear_share) * room
    return pace.percent + min(ahead, linear) + slow * (1 - math.exp(-max(0.0, ahead - linear) / slow))


def creeping_percent(shown: float, pace: Pace, since_s: float) -> float:
    """From ``shown``, after ``since_s`` more of processor time: slower the nearer the end."""
    room = pace.until_percent - shown
    if not pace.a_second or since_s <= 0 or room <= 0:
        return shown
    return shown + room * (1 - math.exp(-CREEP_SHARE * pace.a_second * since_s / 100.0))
