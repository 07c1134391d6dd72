"""Clocks that a test moves."""

from __future__ import annotations

import time


class SettableClock:
    """Stands still until ``advance``."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class ShiftedClock:
    """Real time that can jump ahead: for what waits for real and expires in a day."""

    def __init__(self) -> None:
        self.shift_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.shift_s

    def advance(self, seconds: float) -> None:
        self.shift_s += seconds
