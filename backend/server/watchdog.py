"""Ends a greenlet that keeps the loop: a native thread beside the loop sees that no round is made while the worker's thread burns processor time.

Processor time, not time: a worker that is stopped, starved or swapped out trips nothing. The greenlet gets ``errors.Overstayed``, which no
``except Exception`` holds up. So one bug, or one peer that nobody thought of, costs its own request and not the worker. Gunicorn would kill the
worker after its timeout, with all that it serves.

What this cannot end: code in C that keeps the interpreter's lock (``json.loads``, a regular expression). No other thread runs then, this one neither.
The sizes of what a client may send bound that. The hub and the worker's own greenlet are never ended, since nothing would go on without them.
"""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import sys
import time
import traceback
from types import CodeType, FrameType
from typing import Any

import gevent
from gevent import monkey
from gevent.hub import Hub

from backend.errors import Overstayed
from backend.server.metrics.shared_counters import counters
from backend.server.turns import Turns

LOOK_EVERY_S = 0.1
NAMED_AFTER_S = 0.5
"""Of processor time without a round of the loop. Nothing that the gateway does takes a tenth of it."""
ENDED_AFTER_S = 2.0
"""A tenth of what clients and probes wait for. Far below Gunicorn's timeout of 120 s."""
DUMPED_AFTER_S = 10.0
"""Ending it had no effect. The stacks go to standard error, past the log, whose lock the greenlet may hold."""

log = logging.getLogger(__name__)
Clock = Any


class Watchdog:
    """``look`` is called every ``LOOK_EVERY_S``, by the native thread that ``start`` begins."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._thread_id = 0
        self._clock: Clock = None
        self._loop: Any = None
        self._own_code: CodeType | None = None
        self._seen_count = -1
        self._begun_s = 0.0
        self._stack: list[str] = []
        self._ended_s = self._dumped_s = 0.0

    def start(self) -> None:
        """In the worker's main greenlet, once. Does nothing where a thread's processor time cannot be read (macOS)."""
        if not hasattr(time, "pthread_getcpuclockid"):
            log.info("no watchdog: this platform does not tell a thread's processor time")
            return
        self._thread_id = monkey.get_original("_thread", "get_ident")()
        self._clock = time.pthread_getcpuclockid(self._thread_id)
        self._loop = gevent.get_hub().loop
        self._own_code = outermost(sys._getframe()).f_code
        monkey.get_original("_thread", "start_new_thread")(self._look_for_ever, ())

    def _look_for_ever(self) -> None:
        sleep = monkey.get_original("time", "sleep")
        while True:
            sleep(LOOK_EVERY_S)
            self.look(time.clock_gettime(self._clock))

    def look(self, used_s: float) -> None:
        """``used_s`` is the processor time of the worker's thread so far."""
        if self._turns.count != self._seen_count:
            self._report(used_s - self._begun_s)
            self._seen_count, self._begun_s = self._turns.count, used_s
            self._stack, self._ended_s, self._dumped_s = [], 0.0, 0.0
            return
        stay_s = used_s - self._begun_s
        if stay_s >= NAMED_AFTER_S and not self._stack:
            self._stack = traceback.format_stack(self._frame())
        if stay_s >= self._ended_s + ENDED_AFTER_S:
            self._ended_s = stay_s
            self._end()
        if stay_s >= DUMPED_AFTER_S and not self._dumped_s:
            self._dumped_s = stay_s
            faulthandler.dump_traceback()

    def _frame(self) -> FrameType | None:
        return sys._current_frames().get(self._thread_id)

    def _end(self) -> None:
        frame = self._frame()
        if frame is not None and outermost(frame).f_code not in (Hub.run.__code__, self._own_code):
            self._stack = traceback.format_stack(frame)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread_id), ctypes.py_object(Overstayed))

    def _report(self, stay_s: float) -> None:
        """Logged by the worker's own thread: here the log's lock might be held by a greenlet that does not run."""
        if self._stack:
            self._loop.run_callback_threadsafe(gevent.spawn, report, stay_s, self._stack, self._ended_s > 0)


def outermost(frame: FrameType) -> FrameType:
    """Each greenlet has a stack of its own, so this frame tells which one runs."""
    while frame.f_back is not None:
        frame = frame.f_back
    return frame


def report(stay_s: float, stack: list[str], was_ended: bool) -> None:
    """One line with the place and the stack, and a count."""
    counters.add(f"overstays:{'ended' if was_ended else 'let_go'}")
    place = stack[-1].strip().splitlines()[0] if stack else "?"
    what = "was ended" if was_ended else "kept the others waiting"
    lines = " | ".join(line.strip() for frame in stack for line in frame.splitlines())
    log.error("a greenlet used %.1f s of processor time without a turn and %s: %s | its stack: %s", stay_s, what, place, lines)
