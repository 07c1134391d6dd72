"""Watching a child at work: its reports are passed on, the caller's wish to stop and the clock are minded, and its end is heard."""

from __future__ import annotations

import math
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from backend import errors
from backend.codec import wire
from backend.codec.keeper import Keeper
from backend.core.conversion import Converted, Progress, Stopped


class Lost(Exception):
    """The child or its zygote ended through no fault of the image."""


@dataclass(slots=True)
class End:
    """The child's last word, and how its process ended (as ``os.waitstatus_to_exitcode`` says)."""

    converted: Converted | None = None
    error: errors.GatewayError | None = None
    status: int = 0


class Watch:
    """One caller's ears and patience, over every attempt at one conversion: the clock and the percent go on where the last one stood."""

    def __init__(self, on_progress: Callable[[Progress], None], should_stop: Callable[[], bool], tick_s: float, timeout_s: float) -> None:
        self._on_progress, self._should_stop = on_progress, should_stop
        self._tick_s, self._timeout_s = tick_s, timeout_s
        self._deadline_s = time.monotonic() + timeout_s
        self._percent = 0.0

    def follow(self, keeper: Keeper, channel: socket.socket) -> End:
        """Until the child's end. Raises ``Stopped``, ``EncodeTimeout``, ``DamagedImage`` for senseless words, ``Lost``."""
        try:
            return self._follow(keeper, channel)
        except wire.Garbled as error:
            raise errors.DamagedImage(private=f"the child talks nonsense: {error}") from None

    def _follow(self, keeper: Keeper, channel: socket.socket) -> End:
        said, end = wire.Lines(channel), End()
        poll = select.poll()
        poll.register(channel, select.POLLIN)
        poll.register(keeper, select.POLLIN)
        while True:
            ready = {fd for fd, _event in poll.poll(self._patience_ms())}
            if channel.fileno() in ready:
                self._hear(said, end)
                if said.is_over:
                    poll.unregister(channel)
            if keeper.fileno() in ready and _has_ended(keeper, end):
                while not said.is_over:
                    self._hear(said, end)
                return end
            self._mind()

    def _patience_ms(self) -> int:
        return max(0, math.ceil(1000 * min(self._tick_s, self._deadline_s - time.monotonic())))

    def _mind(self) -> None:
        if self._should_stop():
            raise Stopped()
        if time.monotonic() > self._deadline_s:
            raise errors.EncodeTimeout(limit_s=round(self._timeout_s, 1))

    def _hear(self, said: wire.Lines, end: End) -> None:
        for message in said.read():
            progress = wire.progress_in(message)
            end.converted = end.converted or wire.converted_in(message)
            end.error = end.error or wire.error_in(message)
            if progress is not None and progress.percent >= self._percent:
                self._percent = progress.percent
                self._on_progress(progress)


def _has_ended(keeper: Keeper, end: End) -> bool:
    assert keeper.lines is not None
    for message in keeper.lines.read():
        if isinstance(message.get("ended"), int):
            end.status = message["ended"]
            return True
    if keeper.lines.is_over:
        raise Lost("the zygote ended")
    return False
