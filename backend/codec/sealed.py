"""The codec as the flows see it: ``SealedCodec.convert`` has one image converted by a sealed child, which is used once, and watches it.

Runs in an encoder process, which reads none of the image's bytes. However the child ends, the caller gets a result or an error of
the contract. A crash of the decoder counts as the image's fault. A kill does not, and the image is tried once more; then the caller is told how often
the child died over it (``ChildDied``), for the image may be why this machine has no memory. Where no child could begin, the machine is at fault.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Callable
from typing import Any, Literal

from backend import errors
from backend.codec import messages
from backend.codec.geometry import most_pixels
from backend.codec.host.child_monitor import ChildEnd, ChildMonitor, ZygoteLost
from backend.codec.host.result_memory import open_result_memory
from backend.codec.host.variant_keeper import VariantKeeper
from backend.codec.host.verify import verify
from backend.codec.host.watermark_memory import open_watermark_memory
from backend.codec.host.zygote_client import ZygoteClient, ZygoteFailed
from backend.codec.host.zygote_process import ZygoteFamily
from backend.codec.resource_limits import limits_for
from backend.codec.seal import FULL
from backend.core.conversion import ChildDied, Conversion, Converted, Progress, Variants
from backend.core.limits import Limits
from backend.core.variants import conversions

log = logging.getLogger(__name__)
Sandbox = Literal["require", "prefer", "off"]

ATTEMPTS = 2
MAX_WIDTHS_PIXELS = 3
"""All widths of one picture together may have so many times the pixels that one picture may have: six widths, each half of the one before, have 1.33
times those of the largest, and twelve in even steps have 4."""
FAULTS = frozenset(("SIGSEGV", "SIGBUS", "SIGABRT", "SIGILL", "SIGFPE", "SIGSYS", "SIGTRAP"))
"""Signals that end a process because of a decoder's bug, or of an attempt to leave the seal."""


class SealedCodec:
    """One for each encoder process; not for use by two threads at once. The zygote starts with ``start`` or the first ``convert``."""

    def __init__(self, *, sandbox: Sandbox = "prefer", family: ZygoteFamily | None = None) -> None:
        self._sandbox = sandbox
        self._client = ZygoteClient(sandbox, family)
        self._has_running_child = False

    def start(self) -> None:
        """Raises ``SettingsError`` where ``require`` cannot be met, ``BackendUnavailable`` where no zygote can be started now."""
        try:
            if not self._client.start():
                return
        except (ZygoteFailed, OSError) as error:
            raise errors.BackendUnavailable(part="encoders", retry_after_s=5, private=f"no zygote: {error}") from error
        level = self._client.level
        if self._sandbox == "require" and level.get("level") != FULL:
            self.close()
            found = ", ".join(f"{name} {value}" for name, value in level.items() if name != "level")
            wrong = errors.WrongSetting("GATEWAY_SANDBOX", "'require'", "full_seal", level=level.get("level"), full=FULL, found=found)
            raise errors.SettingsError(wrong)
        if level.get("level") != FULL:
            log.warning("decoders are not fully sealed: level %s of %s (%s)", level.get("level"), FULL, level)

    def seal_level(self) -> dict[str, Any]:
        """What the start-up self-test found: ``level``, ``landlock``, ``seccomp``, ``escapes``."""
        if not self._client.level:
            self.start()
        return dict(self._client.level)

    def library_versions(self) -> dict[str, str]:
        """Those of the running zygote; empty before ``start``."""
        return dict(self._client.versions)

    @property
    def zygote_pid(self) -> int | None:
        """Which need not be a child of this process. None before ``start``."""
        return self._client.zygote_pid

    def abandon_child(self) -> None:
        """Kill the last conversion's child if it was not waited for. The next ``convert`` would do it too; call this once the job's end is told."""
        if self._has_running_child:
            self._has_running_child = False
            self._client.abandon_child()

    def close(self) -> None:
        self._client.stop()

    def convert(
        self,
        source_fd: int,
        result_fd: int,
        conversion: Conversion,
        *,
        on_progress: Callable[[Progress], None],
        should_stop: Callable[[], bool],
        tick_s: float = 0.1,
        variants: Variants | None = None,
    ) -> Converted:
        """Raises ``Stopped``, and the errors that ``ports.Codec`` names. ``should_stop`` is asked at least every ``tick_s``."""
        order = _order_for(conversion)
        keeper = VariantKeeper(variants, result_fd, conversion)
        monitor = ChildMonitor(on_progress, keeper.take, should_stop, tick_s, order)
        deaths, newest = 0, ""
        for _attempt in range(ATTEMPTS):
            try:
                return self._attempt(source_fd, result_fd, order, monitor)
            except (ChildDied, ZygoteLost, ZygoteFailed, OSError) as error:
                deaths, newest = deaths + isinstance(error, ChildDied), f"{type(error).__name__}: {error}"
                log.warning("a codec process was lost: %s", newest)
        if deaths:
            raise ChildDied(newest, deaths)
        raise errors.BackendUnavailable(part="encoders", retry_after_s=5, private=newest)

    def _attempt(self, source_fd: int, result_fd: int, order: messages.Order, monitor: ChildMonitor) -> Converted:
        self._start_again()
        if os.fstat(result_fd).st_size:
            os.ftruncate(result_fd, 0)
        if order.conversion.options.is_several:
            return _result_of(self._run_child(source_fd, result_fd, order, monitor, awaits_end=False), order)
        with open_result_memory(order.conversion.shape) as memory:
            written_fd = memory.fd if memory else result_fd
            converted = _result_of(self._run_child(source_fd, written_fd, order, monitor, awaits_end=memory is None), order)
            if memory:
                memory.copy_to(result_fd, converted.bytes)
            verify(converted, result_fd, order.conversion)
            return converted

    def _start_again(self) -> None:
        """A sandbox that is not available now was so when this process began. Raises ``ZygoteFailed``, ``BackendUnavailable``."""
        try:
            self.start()
        except errors.SettingsError as error:
            raise ZygoteFailed(str(error)) from error

    def _run_child(self, source_fd: int, written_fd: int, order: messages.Order, monitor: ChildMonitor, *, awaits_end: bool) -> ChildEnd:
        """``awaits_end``: the child could still change what it wrote. Where that is copied before it is looked at, nobody waits."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with ours:
            with theirs, open_watermark_memory(order.conversion.watermark) as mark_fds:
                self._client.send_order(order, [source_fd, written_fd, theirs.fileno(), *mark_fds])
            try:
                end = monitor.watch(self._client, ours, awaits_end=awaits_end)
            except BaseException:
                self._client.kill_child()
                raise
        self._has_running_child = end.status is None
        return end


def _order_for(conversion: Conversion) -> messages.Order:
    shape = conversion.shape
    pixels = [shape.frames * most_pixels((shape.width, shape.height), each.options, conversion.limits) for each in conversions(conversion)]
    if conversion.options.is_several:
        _check_sum(sum(pixels[: len(conversion.options.asked_widths)]), conversion.limits)
    return messages.Order(conversion, limits_for(conversion, pixels))


def _check_sum(pixels: int, limits: Limits) -> None:
    """The sizes wait in memory until they are encoded. Raises ``TooManyPixels`` (widths)."""
    limit = MAX_WIDTHS_PIXELS * limits.pixels
    if pixels > limit:
        raise errors.TooManyPixels("widths", pixels=pixels, limit=limit)


def _result_of(end: ChildEnd, order: messages.Order) -> Converted:
    """Raises an error of the contract, or ``ChildDied``."""
    if end.error is not None:
        raise end.error
    if end.converted is not None and not end.status:
        return end.converted
    assert end.status is not None
    name = signal.Signals(-end.status).name if end.status < 0 else f"exit {end.status}"
    if name == "SIGXCPU":
        raise errors.EncodeTimeout(limit_s=order.limits["CPU"], private="processor time")
    if name in FAULTS:
        raise errors.DamagedImage(private=f"the decoder ended by {name}")
    raise ChildDied(f"the child ended by {name} and reported nothing")
