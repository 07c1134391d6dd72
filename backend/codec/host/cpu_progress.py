"""The progress of a child that has reported nothing for a while, from the processor time it has used since, at the pace of its own reports.

libwebp calls its hook rarely in some phases: never while it compresses transparency, and at intervals of a second or more while it packs a
large image without loss. The estimate is measured work too: a child that waits or is stopped uses no processor time. The next report corrects
it; then the bar waits and never goes back.
"""

from __future__ import annotations

import math
import os

MIN_PERCENT, MIN_S = 0.2, 0.005
"""Reported, and used for it. Below these there is no pace to estimate from."""
LINEAR_SHARE = 0.7
"""Of the way to the end, the estimate follows the pace. From there on it slows down and never arrives, since the pace of what is left may differ."""
CREEP_SHARE = 0.25
"""Of the pace, while the bar is ahead of the child's last report: so the report catches up, and the bar never stands."""
SCHEDSTAT_BYTES = 128


class CpuProgress:
    """Of the child ``pid``, which has just taken its order. Only Linux tells another process' time; elsewhere nothing is estimated. To be closed."""

    def __init__(self, pid: int) -> None:
        try:
            self._schedstat_fd = os.open(f"/proc/{pid}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._schedstat_fd = -1
        self._before_s = self._processor_s()
        self._percent = self._used_s = self._passed_on_s = 0.0

    def close(self) -> None:
        if self._schedstat_fd >= 0:
            os.close(self._schedstat_fd)
            self._schedstat_fd = -1

    def note_report(self, percent: float) -> None:
        """The child itself reported ``percent``."""
        self._percent, self._used_s = percent, self._processor_s() - self._before_s

    def note_passed_on(self) -> None:
        """A percent was passed on to the caller: a report or an estimate."""
        self._passed_on_s = self._processor_s() - self._before_s

    def percent(self, shown: float) -> float:
        """The estimate by now. ``shown`` was passed on last."""
        now_s = self._processor_s() - self._before_s
        percent = expected_percent(self._percent, self._used_s, now_s)
        return percent if percent > shown else creeping_percent(shown, self._percent, self._used_s, now_s - self._passed_on_s)

    def _processor_s(self) -> float:
        """Scheduler statistics: the first number is the nanoseconds spent on a processor (proc(5))."""
        try:
            return int(os.pread(self._schedstat_fd, SCHEDSTAT_BYTES, 0).split()[0]) / 1e9
        except (OSError, IndexError):
            return 0.0


def expected_percent(percent: float, used_s: float, now_s: float) -> float:
    """At ``now_s`` of processor time, after ``percent`` was reported at ``used_s``."""
    if _is_too_early(percent, used_s) or now_s <= used_s or percent >= 100:
        return percent
    ahead, linear, slow = percent / used_s * (now_s - used_s), LINEAR_SHARE * (100.0 - percent), (1 - LINEAR_SHARE) * (100.0 - percent)
    return percent + min(ahead, linear) + slow * (1 - math.exp(-max(0.0, ahead - linear) / slow))


def creeping_percent(shown: float, percent: float, used_s: float, since_s: float) -> float:
    """From ``shown``, after ``since_s`` more of processor time: slower the nearer the end."""
    if _is_too_early(percent, used_s) or since_s <= 0 or shown >= 100:
        return shown
    return shown + (100.0 - shown) * (1 - math.exp(-CREEP_SHARE * percent / used_s * since_s / 100.0))


def _is_too_early(percent: float, used_s: float) -> bool:
    return percent < MIN_PERCENT or used_s < MIN_S
