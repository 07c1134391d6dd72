"""The codec as the flows see it: ``SealedCodec.convert`` has one image converted by a sealed, disposable child, and watches over it.

Runs in an encoder's process, which touches none of the image's bytes. However the child ends, the caller gets a result or an error of
the contract: a decoder's crash is the image's fault, a kill from outside is not and is tried once more.
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
from backend.codec.geometry import plan
from backend.codec.host.child_monitor import End, Lost, Watch
from backend.codec.host.result_memory import draft_for
from backend.codec.host.zygote_client import Broken, Keeper
from backend.codec.resource_limits import bounds
from backend.codec.seal import FULL
from backend.codec.webp_file import shape_of
from backend.core.conversion import Conversion, Converted, Progress, Shape

log = logging.getLogger(__name__)
Sandbox = Literal["require", "prefer", "off"]

ATTEMPTS = 2
FAULTS = frozenset(("SIGSEGV", "SIGBUS", "SIGABRT", "SIGILL", "SIGFPE", "SIGSYS", "SIGTRAP"))
"""How a process ends that a decoder's bug, or an attempt to leave the seal, brought down."""


class SealedCodec:
    """One for each encoder process; not for use by two threads at once. The zygote starts with ``start`` or the first ``convert``."""

    def __init__(self, *, sandbox: Sandbox = "prefer") -> None:
        self._sandbox = sandbox
        self._keeper = Keeper(sandbox)
        self._has_lingering = False

    def start(self) -> None:
        """Raises ``SettingsError`` where ``require`` cannot be met."""
        if not self._keeper.start():
            return
        level = self._keeper.level
        if self._sandbox == "require" and level.get("level") != FULL:
            self.close()
            found = ", ".join(f"{name} {value}" for name, value in level.items() if name != "level")
            wrong = errors.WrongSetting("GATEWAY_SANDBOX", "'require'", "full_seal", level=level.get("level"), full=FULL, found=found)
            raise errors.SettingsError(wrong)
        if level.get("level") != FULL:
            log.warning("decoders are not fully sealed: level %s of %s (%s)", level.get("level"), FULL, level)

    def seal_level(self) -> dict[str, Any]:
        """What the start-up self-test found: ``level``, ``landlock``, ``seccomp``, ``escapes``."""
        if not self._keeper.level:
            self.start()
        return dict(self._keeper.level)

    def let_go(self) -> None:
        """Of a child that has nothing left to do but to end, and was not waited for: it is killed. The next ``convert`` would see to that as well,
        so this is for whoever has told first what became of the last."""
        if self._has_lingering:
            self._has_lingering = False
            self._keeper.let_go()

    def close(self) -> None:
        self._keeper.end()

    def convert(
        self,
        source_fd: int,
        result_fd: int,
        conversion: Conversion,
        *,
        on_progress: Callable[[Progress], None],
        should_stop: Callable[[], bool],
        tick_s: float = 0.1,
    ) -> Converted:
        """Raises ``Stopped``, and the errors that ``ports.Codec`` names. ``should_stop`` is asked at least every ``tick_s``."""
        watch = Watch(on_progress, should_stop, tick_s, conversion)
        order = _order(conversion)
        for _attempt in range(ATTEMPTS):
            try:
                return self._attempt(source_fd, result_fd, order, watch)
            except (Lost, Broken) as error:
                log.warning("a codec process was lost: %s", error)
        raise errors.Internal("encoder_lost", attempts=ATTEMPTS)

    def _attempt(self, source_fd: int, result_fd: int, order: messages.Order, watch: Watch) -> Converted:
        self.start()
        if os.fstat(result_fd).st_size:
            os.ftruncate(result_fd, 0)
        with draft_for(order.conversion.shape) as draft:
            written_fd = draft.fd if draft else result_fd
            end = self._followed(source_fd, written_fd, order, watch, draft.hold_fast if draft else _never)
            converted = _concluded(end, written_fd, order)
            if draft:
                draft.copy_to(result_fd)
            return converted

    def _followed(self, source_fd: int, written_fd: int, order: messages.Order, watch: Watch, is_final: Callable[[], bool]) -> End:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with ours:
            with theirs:
                self._keeper.order(order, [source_fd, written_fd, theirs.fileno()])
            try:
                end = watch.follow(self._keeper, ours, is_final)
            except BaseException:
                self._keeper.end_child()
                raise
        self._has_lingering = end.status is None
        return end


def _order(conversion: Conversion) -> messages.Order:
    shape, options = conversion.shape, conversion.options
    pixels = max(plan(size, options).pixels for size in ((shape.width, shape.height), (shape.height, shape.width)))
    return messages.Order(conversion, bounds(conversion, pixels * shape.frames))


def _never() -> bool:
    return False


def _concluded(end: End, written_fd: int, order: messages.Order) -> Converted:
    """What became of it. Raises an error of the contract, or ``Lost``."""
    if end.error is not None:
        raise end.error
    if end.converted is not None and not end.status:
        return _verified(end.converted, written_fd)
    assert end.status is not None
    name = signal.Signals(-end.status).name if end.status < 0 else f"exit {end.status}"
    if name == "SIGXCPU":
        raise errors.EncodeTimeout(limit_s=order.bounds["CPU"], private="processor time")
    if name in FAULTS:
        raise errors.DamagedImage(private=f"the decoder ended by {name}")
    if end.status < 0:
        raise Lost(name)
    raise errors.Internal(private=f"the child ended with {name} and said nothing")


def _verified(converted: Converted, written_fd: int) -> Converted:
    """The child's word against the bytes it wrote. Raises ``DamagedImage`` when they differ: then the image has taken the child over."""
    size_bytes, shape = os.fstat(written_fd).st_size, shape_of(written_fd)
    claimed = Shape("webp", converted.width, converted.height, converted.frames)
    if shape != claimed or size_bytes != converted.bytes:
        raise errors.DamagedImage(private=f"the child claims {converted}, the file has {size_bytes} bytes, {shape}")
    return converted
