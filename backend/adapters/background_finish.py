"""Finishes one job while the next is encoded, so that no core waits for the disk."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor

log = logging.getLogger(__name__)
TICK_S = 0.1


class BackgroundFinish:
    """Runs the end of one job at a time, in a thread. Whoever brings the next one waits for the one before."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="finish")
        self._last: Future[None] | None = None

    def __call__(self, finish: Callable[[], None], meanwhile: Callable[[], object] = lambda: None) -> None:
        """Start ``finish``. ``meanwhile`` is called ten times a second while the one before is not done."""
        self.wait(meanwhile)
        self._last = self._thread.submit(finish)

    def wait(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Return when nothing is left undone. A failure is logged: the job's lease runs out, and the job is encoded again."""
        last, self._last = self._last, None
        if last is None:
            return
        while futures.wait([last], TICK_S).not_done:
            meanwhile()
        if (error := last.exception()) is not None:
            log.error("a job's end failed, so it will be tried again", exc_info=error)
