"""How far a child must be that has said nothing for a while: by the processor time it has used since, at the pace of its own reports.

libwebp calls its hook seldom in some phases: it is silent while it compresses transparency, and for a second or more in places while it packs a
large image without loss. What is shown meanwhile is measured work too: time that the child spent on a processor, which a child that waits or stands
still does not spend. The next report corrects it; the bar then waits and never goes back.
"""

from __future__ import annotations

import math
import os

LEAST_PERCENT, LEAST_S = 0.2, 0.005
"""Before so much is known, there is no pace."""
STRAIGHT = 0.7
"""Of the way to the end. From there on it slows down and never arrives: the pace of what was done may not be that of what is left."""
SCHEDSTAT_BYTES = 128
CREEP = 0.25
"""Of the pace, while more is shown than the child has done by its own word: so the two come together, and the bar never stands."""


class Pace:
    """Of the child ``pid``, which has just taken its order. Linux alone tells another process' time; elsewhere nothing is said. To be closed."""

    def __init__(self, pid: int) -> None:
        try:
            self._spent_fd = os.open(f"/proc/{pid}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._spent_fd = -1
        self._before_s = self._processor_s()
        self._percent = self._used_s = self._told_s = 0.0

    def close(self) -> None:
        if self._spent_fd >= 0:
            os.close(self._spent_fd)
            self._spent_fd = -1

    def reported(self, percent: float) -> None:
        """The child's own word."""
        self._percent, self._used_s = percent, self._processor_s() - self._before_s

    def told(self) -> None:
        """A percent was passed on, whoever it came from."""
        self._told_s = self._processor_s() - self._before_s

    def percent(self, shown: float) -> float:
        """By now, with ``shown`` passed on last."""
        now_s = self._processor_s() - self._before_s
        percent = expected(self._percent, self._used_s, now_s)
        return percent if percent > shown else crept(shown, self._percent, self._used_s, now_s - self._told_s)

    def _processor_s(self) -> float:
        """Scheduler statistics: the first number is the nanoseconds spent on a processor (proc(5))."""
        try:
            return int(os.pread(self._spent_fd, SCHEDSTAT_BYTES, 0).split()[0]) / 1e9
        except (OSError, IndexError):
            return 0.0


def expected(percent: float, used_s: float, now_s: float) -> float:
    """At ``now_s`` of processor time, after ``percent`` was reported at ``used_s``."""
    if _is_too_early(percent, used_s) or now_s <= used_s or percent >= 100:
        return percent
    ahead, straight, slow = percent / used_s * (now_s - used_s), STRAIGHT * (100.0 - percent), (1 - STRAIGHT) * (100.0 - percent)
    return percent + min(ahead, straight) + slow * (1 - math.exp(-max(0.0, ahead - straight) / slow))


def crept(shown: float, percent: float, used_s: float, since_s: float) -> float:
    """From ``shown``, after ``since_s`` more of processor time: slower the nearer the end."""
    if _is_too_early(percent, used_s) or since_s <= 0 or shown >= 100:
        return shown
    return shown + (100.0 - shown) * (1 - math.exp(-CREEP * percent / used_s * since_s / 100.0))


def _is_too_early(percent: float, used_s: float) -> bool:
    return percent < LEAST_PERCENT or used_s < LEAST_S
