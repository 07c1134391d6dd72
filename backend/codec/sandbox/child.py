"""The life of a child: warm up, drop privileges, wait for its one order, seal itself, convert, report, end. It never returns.

It is forked before its order comes, so that no image waits for the fork. Until the order comes it has seen no untrusted byte.
"""

from __future__ import annotations

import errno
import gc
import os
import socket
import traceback
from dataclasses import dataclass
from typing import NoReturn

from PIL import Image

from backend import errors
from backend.codec import messages, pipeline, seal
from backend.codec.native import libjpeg
from backend.codec.native.source import Source
from backend.codec.sandbox.warm_up import WarmUp
from backend.codec.seal import kernel, thread_budget
from backend.core.conversion import Made, Progress

STANDARD_DESCRIPTORS = 3
"""0 to 2 stay open on /dev/null. Else a later descriptor could take their place, and a library's message would go into a picture."""
OF_THE_DISK = frozenset((errno.EIO, errno.EROFS, errno.ESTALE, errno.ENODEV, errno.ENXIO, errno.ETIMEDOUT, errno.EBADMSG))
"""What reading the source or writing the result meets where the disk, or the network below it, fails (errno(3)). No image causes them."""
FORMATS_WITH_THREADS = frozenset(("heic",))
"""libde265 always decodes in a thread of its own."""


@dataclass(frozen=True, slots=True)
class Seal:
    """The last part of the seal, put on once the order is known. ``mapped_bytes`` of libraries come on top of the order's memory limit."""

    sandbox: str
    mapped_bytes: int

    def put_on(self, order: messages.Order) -> None:
        seal.set_limits({**order.limits, "AS": order.limits["AS"] + self.mapped_bytes})
        seal.install_seccomp(self.sandbox, threads=has_threads(order))


def has_threads(order: messages.Order) -> bool:
    return order.conversion.shape.format in FORMATS_WITH_THREADS


def run(end: socket.socket, zygote_pid: int, warm_up: WarmUp | None, sandbox: str) -> NoReturn:
    """``end`` brings the one order, or closes when the zygote has ended. ``warm_up``: what to do until it comes, if anything."""
    try:
        gc.disable()
        _close_all_but(end.fileno())
        if warm_up is not None:
            warm_up.run()
        last = Seal(sandbox, _mapped_bytes())
        stat_fd = None if sandbox == "off" else thread_budget.open_own_stat()
        seal.drop_privileges(sandbox)
        if os.getppid() != zygote_pid:  # the zygote died before the child asked the kernel to die with it
            os._exit(1)
        reader = messages.MessageReader(end, messages.MAX_DESCRIPTORS)
        received: list[messages.Message] = []
        while not received and not reader.is_over:
            received = reader.read()
        if received:
            order = messages.Order.from_message(received[0])
            if has_threads(order):
                thread_budget.offer(end, stat_fd)
            end.detach()
            source_fd, result_fd, channel_fd, *others = reader.descriptors
            _run_order(order, source_fd, result_fd, channel_fd, others, last)
    finally:
        os._exit(1)


def _run_order(order: messages.Order, source_fd: int, result_fd: int, channel_fd: int, mark_fds: list[int], last: Seal) -> NoReturn:
    code = 1
    try:
        _close_all_but(source_fd, result_fd, channel_fd, *mark_fds)
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=channel_fd)
        source, marks = Source(source_fd), [Source(fd) for fd in mark_fds]
        try:
            last.put_on(order)
            message = _convert(order, source, result_fd, channel, *marks)
        except Exception as error:  # the process edge: this child could not be sealed
            message = messages.error_message(_unavailable("sandbox", f"seal: {type(error).__name__}: {error}"))
        channel.sendall(messages.pack(message))
        code = 0
    finally:
        os._exit(code)


def _mapped_bytes() -> int:
    """proc(5), statm."""
    if not kernel.IS_LINUX:
        return 0
    with open("/proc/self/statm", "rb") as statm:
        return int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _close_all_but(*wanted: int) -> None:
    low = STANDARD_DESCRIPTORS
    for fd in sorted(wanted):
        os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, os.sysconf("SC_OPEN_MAX"))


def _convert(order: messages.Order, source: Source, result_fd: int, channel: socket.socket, mark: Source | None = None) -> messages.Message:
    stage = "decode"

    def report(progress: Progress) -> None:
        nonlocal stage
        stage = progress.stage
        channel.sendall(messages.pack(messages.progress_message(progress)))

    def tell_made(made: Made) -> None:
        channel.sendall(messages.pack(messages.made_message(made)))

    libjpeg.set_on_fatal(lambda error: channel.sendall(messages.pack(messages.error_message(error))))
    try:
        return messages.done_message(pipeline.convert(source, result_fd, order.conversion, report, tell_made, mark))
    except pipeline.FailedIn as failed:
        assert isinstance(failed.__cause__, Exception)
        return messages.error_message(contract_error(failed.__cause__, failed.stage))
    except Exception as error:  # the process edge: untrusted bytes can make a decoder raise anything
        return messages.error_message(contract_error(error, stage))


def _unavailable(part: str, private: str) -> errors.GatewayError:
    return errors.BackendUnavailable(part=part, retry_after_s=5, private=private)


def contract_error(error: Exception, stage: str) -> errors.GatewayError:
    """An exception as an error of the contract. ``stage`` is the one in which it was raised."""
    private = f"{stage}: {type(error).__name__}: {error} ({_place(error)})"
    if isinstance(error, errors.GatewayError):
        return error
    if isinstance(error, (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return errors.TooManyPixels("memory", private=private)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return errors.StorageFull(private=private)
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return errors.TooManyPixels("memory", private=private)
    if isinstance(error, OSError) and error.errno in OF_THE_DISK:
        return _unavailable("store", private)
    if stage in ("decode", "transform"):
        return errors.DamagedImage(private=private)
    return errors.Internal(private=private)


def _place(error: Exception) -> str:
    """Where it was raised, for the log: a sealed process cannot read the sources for a traceback."""
    places = [f"{frame.f_code.co_qualname}:{line}" for frame, line in traceback.walk_tb(error.__traceback__)]
    return " < ".join(places[:-4:-1])
