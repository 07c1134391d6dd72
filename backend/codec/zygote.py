"""The zygote: a small process, exec'd with an empty environment, that has the libraries loaded and forks one child for each order.

It opens no image, keeps no secret and ends when its pool process does: then its child dies with it.
"""

from __future__ import annotations

import gc
import logging
import os
import select
import signal
import socket
import sys

from backend.codec import child, decode, libwebp, pixels, wire
from backend.codec.seal import kernel, probe

CONTROL_FD = 3
DESCRIPTORS = 3
"""With an order: source, result, the child's channel."""


def main(sandbox: str, guarded_by: int) -> None:
    """``guarded_by``: the pool process, when the kernel shall end this one with it; else 0."""
    _die_with(guarded_by)
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=CONTROL_FD)
    preload()
    control.sendall(wire.packed({"ready": probe.level(sandbox).as_dict()}))
    gc.collect()
    gc.freeze()
    Nursery(control, _child_ended_fd()).serve()


def preload() -> None:
    """Everything a child may need: it can open no file."""
    logging.disable()
    pixels.keep_in_one_piece()
    decode.preload()
    libwebp.encoder()
    libwebp.muxer()


def _die_with(pool_pid: int) -> None:
    if kernel.IS_LINUX and pool_pid:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != pool_pid:
            sys.exit(0)


def _child_ended_fd() -> int:
    """Readable after each SIGCHLD."""
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    os.set_blocking(readable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return readable


class Nursery:
    """One child at a time: orders in, ends out."""

    def __init__(self, control: socket.socket, child_ended_fd: int) -> None:
        self._control = control
        self._lines = wire.Lines(control, DESCRIPTORS)
        self._child_ended_fd = child_ended_fd
        self._child: int | None = None

    def serve(self) -> None:
        """Until the pool process is gone."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(self._child_ended_fd, select.POLLIN)
        while not self._lines.is_over:
            for fd, _event in poll.poll():
                if fd == self._child_ended_fd:
                    os.read(fd, 512)
                else:
                    self._hear()
            self._report_end()
        self._end_child()

    def _hear(self) -> None:
        for message in self._lines.read():
            if "stop" in message:
                self._end_child()
            else:
                self._bear(wire.Order.from_message(message))

    def _bear(self, order: wire.Order) -> None:
        (source, result, channel), self._lines.descriptors = self._lines.descriptors[:DESCRIPTORS], self._lines.descriptors[DESCRIPTORS:]
        zygote = os.getpid()
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            child.live(order, source, result, channel, zygote)
        self._child = pid
        for fd in (source, result, channel):
            os.close(fd)

    def _end_child(self) -> None:
        if self._child is not None:
            os.kill(self._child, signal.SIGKILL)

    def _report_end(self) -> None:
        if self._child is None:
            return
        pid, status = os.waitpid(self._child, os.WNOHANG)
        if pid:
            self._child = None
            self._control.sendall(wire.packed({"ended": os.waitstatus_to_exitcode(status)}))
