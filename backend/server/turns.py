"""Turns of the loop: a greenlet that has work without end lets the others run.

gevent changes greenlets only where one waits. A peer that always has another byte never lets ``recv`` wait. So every loop over a peer's bytes calls
``give_turn`` once an item: a piece, a frame, a request. It costs a tenth of a microsecond, unless the loop's present round is used up.

The time is that of the whole round, not of one greenlet. Thirty peers that flood share one slice, and the round takes little longer than that.
"""

from __future__ import annotations

import math
import time

import gevent

SLICE_S = 0.005
"""Of one round of the loop. Health checks beside a flood wait about so long; a switch costs a thousandth of it."""


class Turns:
    """``count`` is how many rounds the loop has made. Nothing is measured before ``start``."""

    def __init__(self) -> None:
        self.count = 0
        self._begun_s = math.inf
        self._watcher: object = None

    def start(self) -> None:
        """In the process of the worker, once."""
        watcher = gevent.get_hub().loop.check(ref=False)
        watcher.start(self._begin_round)
        self._watcher = watcher
        self._begun_s = time.monotonic()

    def give_turn(self) -> None:
        if time.monotonic() - self._begun_s >= SLICE_S:
            gevent.sleep(0)

    def is_used_up(self) -> bool:
        """For a callback of the loop, which cannot give a turn: whether it should do nothing more in this round."""
        return time.monotonic() - self._begun_s >= SLICE_S

    def _begin_round(self) -> None:
        """Called by the loop after it has waited for events, before it handles them."""
        self.count += 1
        self._begun_s = time.monotonic()


turns = Turns()
