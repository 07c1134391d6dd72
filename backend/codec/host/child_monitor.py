"""Watching a child at work: its reports are passed on, the caller's wish to stop and the clock are minded, and its end is heard.

While a child is silent, its processor time speaks for it (``cpu_progress``).
"""

from __future__ import annotations

import math
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from backend import errors
from backend.codec import messages
from backend.codec.host.cpu_progress import Pace
from backend.codec.host.zygote_client import Keeper
from backend.core.conversion import Conversion, Converted, Progress, Stage, Stopped

QUIET_S = 0.2
"""After so long without a report, one is made. With the tick, nobody waits for 400 ms. Where reports are seldom on purpose, after four times
their interval."""


class Lost(Exception):
    """The child or its zygote ended through no fault of the image."""


@dataclass(slots=True)
class End:
    """The child's last word, and how its process ended (as ``os.waitstatus_to_exitcode`` says); None where that was not waited for."""

    converted: Converted | None = None
    error: errors.GatewayError | None = None
    status: int | None = None


class Watch:
    """One caller's ears and patience, over every attempt at one conversion: the clock and the percent go on where the last one stood."""

    def __init__(self, on_progress: Callable[[Progress], None], should_stop: Callable[[], bool], tick_s: float, conversion: Conversion) -> None:
        self._on_progress, self._should_stop = on_progress, should_stop
        self._tick_s, self._timeout_s = tick_s, conversion.timeout_s
        self._deadline_s = time.monotonic() + conversion.timeout_s
        self._quiet_s = max(QUIET_S, 4 * conversion.report_every_s)
        self._percent = 0.0
        self._stage: Stage = "decode"
        self._told_s = time.monotonic()
        self._pace: Pace | None = None

    def follow(self, keeper: Keeper, channel: socket.socket, is_final: Callable[[], bool]) -> End:
        """Until the child's end, or until it says that it is done and ``is_final()``, which is asked once: the result cannot be changed any more.

        Raises ``Stopped``, ``EncodeTimeout``, ``DamagedImage`` for senseless words, ``Lost``.
        """
        self._pace = None
        try:
            return self._follow(keeper, channel, is_final)
        except messages.Garbled as error:
            raise errors.DamagedImage(private=f"the child talks nonsense: {error}") from None
        finally:
            if self._pace is not None:
                self._pace.close()

    def _follow(self, keeper: Keeper, channel: socket.socket, is_final: Callable[[], bool]) -> End:
        said, end, was_asked = messages.Lines(channel), End(), False
        poll = select.poll()
        poll.register(channel, select.POLLIN)
        poll.register(keeper, select.POLLIN)
        while True:
            ready = {fd for fd, _event in poll.poll(self._patience_ms())}
            if channel.fileno() in ready:
                self._hear(said, end)
                if said.is_over:
                    poll.unregister(channel)
                if end.converted is not None and end.error is None and not was_asked:
                    was_asked = True
                    if is_final():
                        return end
            if keeper.fileno() in ready and self._has_ended(keeper, end):
                while not said.is_over:
                    self._hear(said, end)
                return end
            self._mind()
            self._speak_for()

    def _patience_ms(self) -> int:
        return max(0, math.ceil(1000 * min(self._tick_s, self._deadline_s - time.monotonic())))

    def _mind(self) -> None:
        if self._should_stop():
            raise Stopped()
        if time.monotonic() > self._deadline_s:
            raise errors.EncodeTimeout(limit_s=round(self._timeout_s, 1))

    def _hear(self, said: messages.Lines, end: End) -> None:
        for message in said.read():
            progress = messages.progress_in(message)
            end.converted = end.converted or messages.converted_in(message)
            end.error = end.error or messages.error_in(message)
            if progress is not None:
                self._stage = progress.stage
                self._tell(progress.percent)
                if self._pace is not None:
                    self._pace.reported(progress.percent)

    def _tell(self, percent: float) -> None:
        if percent >= self._percent:
            self._percent, self._told_s = percent, time.monotonic()
            if self._pace is not None:
                self._pace.told()
            self._on_progress(Progress(self._stage, percent))

    def _speak_for(self) -> None:
        if self._pace is not None and time.monotonic() - self._told_s >= self._quiet_s:
            percent = round(self._pace.percent(self._percent), 2)
            if percent > self._percent:
                self._tell(percent)

    def _has_ended(self, keeper: Keeper, end: End) -> bool:
        end.status = keeper.hear()
        if self._pace is None and keeper.child_pid is not None:
            self._pace = Pace(keeper.child_pid)
        if end.status is None and keeper.is_over:
            raise Lost("the zygote ended")
        return end.status is not None
