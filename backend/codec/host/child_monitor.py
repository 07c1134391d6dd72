"""Watching a child at work: its reports are passed on, the caller's stop and the time limit are checked, and its end is noticed.

While a child reports nothing, its progress is estimated from its processor time (``cpu_progress``).
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
from backend.codec.host.child_reports import Report, ReportReader
from backend.codec.host.cpu_progress import CpuProgress
from backend.codec.host.zygote_client import ZygoteClient
from backend.core.conversion import Converted, Made, Progress, Stage, Stopped

SILENCE_S = 0.2
"""After so long without a report, an estimate is passed on; with the tick, the bar stands for less than 400 ms. Where reports are rare on purpose,
after four times their interval."""


class ZygoteLost(Exception):
    """The zygote ended, and its child with it. It sees no byte of an image, so the machine is at fault."""


@dataclass(slots=True)
class ChildEnd:
    """What the child reported last, and how its process ended (as ``os.waitstatus_to_exitcode`` says); None where that was not waited for."""

    converted: Converted | None = None
    error: errors.GatewayError | None = None
    status: int | None = None


class ChildMonitor:
    """Watches every attempt at one conversion: time limit and percent go on where the last attempt left them."""

    def __init__(
        self,
        on_progress: Callable[[Progress], None],
        on_made: Callable[[Made], None],
        should_stop: Callable[[], bool],
        tick_s: float,
        order: messages.Order,
    ) -> None:
        conversion = order.conversion
        self._on_progress, self._on_made, self._should_stop = on_progress, on_made, should_stop
        self._order, self._tick_s, self._timeout_s = order, tick_s, conversion.timeout_s
        self._deadline_s = time.monotonic() + conversion.timeout_s
        self._silence_s = max(SILENCE_S, 4 * conversion.report_every_s)
        self._percent = 0.0
        self._stage: Stage = "decode"
        self._passed_on_at_s = time.monotonic()
        self._cpu_progress: CpuProgress | None = None

    def watch(self, client: ZygoteClient, channel: socket.socket, *, awaits_end: bool) -> ChildEnd:
        """Until the child ends, or reports its result where that is enough.

        Raises ``Stopped``, ``EncodeTimeout``, ``DamagedImage`` for a malformed message, ``ZygoteLost``.
        """
        self._cpu_progress = None
        try:
            return self._watch(client, channel, awaits_end)
        except messages.MalformedMessage as error:
            raise errors.DamagedImage(private=f"the child sent a malformed message: {error}") from None
        finally:
            if self._cpu_progress is not None:
                self._cpu_progress.close()

    def _watch(self, client: ZygoteClient, channel: socket.socket, awaits_end: bool) -> ChildEnd:
        reader, end = ReportReader(channel, self._order), ChildEnd()
        poll = select.poll()
        poll.register(channel, select.POLLIN)
        poll.register(client, select.POLLIN)
        while True:
            ready = {fd for fd, _event in poll.poll(self._poll_timeout_ms())}
            if channel.fileno() in ready:
                self._take(reader.read(), end)
                if reader.is_over:
                    poll.unregister(channel)
                if end.converted is not None and not awaits_end:
                    return end
            if client.fileno() in ready and self._has_ended(client, end):
                self._take(reader.read_rest(), end)
                return end
            self._check_stop_and_deadline()
            self._pass_on_estimate()

    def _poll_timeout_ms(self) -> int:
        return max(0, math.ceil(1000 * min(self._tick_s, self._deadline_s - time.monotonic())))

    def _check_stop_and_deadline(self) -> None:
        if self._should_stop():
            raise Stopped()
        if time.monotonic() > self._deadline_s:
            raise errors.EncodeTimeout(limit_s=round(self._timeout_s, 1))

    def _take(self, reports: list[Report], end: ChildEnd) -> None:
        for report in reports:
            match report:
                case Progress(stage, percent, silence):
                    self._stage = stage
                    self._pass_on(percent)
                    if self._cpu_progress is not None:
                        self._cpu_progress.note_report(percent, silence)
                case Made():
                    self._pass_on_made(report)
                case Converted():
                    end.converted = report
                case _:
                    end.error = report

    def _pass_on_made(self, made: Made) -> None:
        """To store it may take as long as the store wants. That is not the image's time."""
        begun_s = time.monotonic()
        self._on_made(made)
        self._deadline_s += time.monotonic() - begun_s

    def _pass_on(self, percent: float) -> None:
        if percent >= self._percent:
            self._percent, self._passed_on_at_s = percent, time.monotonic()
            if self._cpu_progress is not None:
                self._cpu_progress.note_passed_on()
            self._on_progress(Progress(self._stage, percent))

    def _pass_on_estimate(self) -> None:
        if self._cpu_progress is not None and time.monotonic() - self._passed_on_at_s >= self._silence_s:
            percent = round(self._cpu_progress.percent(self._percent), 2)
            if percent > self._percent:
                self._pass_on(percent)

    def _has_ended(self, client: ZygoteClient, end: ChildEnd) -> bool:
        end.status = client.read_exit_status()
        if self._cpu_progress is None and client.child_pid is not None:
            self._cpu_progress = CpuProgress(client.child_pid)
        if end.status is None and client.is_over:
            raise ZygoteLost("the zygote ended")
        return end.status is not None
