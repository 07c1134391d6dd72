"""The zygote: a small process, exec'd with an empty environment, that has the libraries loaded and forks one child for each order, ahead of it.

It opens no image of a stranger, keeps no secret and ends when its pool process does: then its child dies with it.
"""

from __future__ import annotations

import gc
import logging
import math
import os
import select
import signal
import socket
import sys
import time

from backend.codec import messages
from backend.codec.image import decode
from backend.codec.native import arrow_buffer, libjpeg, libwebp, littlecms
from backend.codec.sandbox import child
from backend.codec.seal import kernel, probe, seccomp
from backend.core.conversion import Shape

BIRTH_DELAY_S = 0.006
"""Longer than an order takes until its image is decoded. A birth with its rehearsal takes as long, and there may be no processor to spare."""
SLOW_PIXELS = 200_000
"""Take over 20 ms."""


def main(sandbox: str, guarded_by: int) -> None:
    """``guarded_by``: the pool process, when the kernel shall end this one with it; else 0."""
    _die_with(guarded_by)
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=messages.CONTROL_FD)
    preload()
    control.sendall(messages.packed({"ready": probe.level(sandbox).as_dict()}))
    gc.collect()
    gc.freeze()
    Nursery(control, _child_ended_fd(), sandbox).serve()


def preload() -> None:
    """Everything a child may need: it can open no file."""
    logging.disable()
    arrow_buffer.keep_in_one_piece()
    decode.preload()
    libwebp.encoder()
    libwebp.muxer()
    libjpeg.library()
    littlecms.preload()
    for threads in (False, True):
        seccomp.assembled(threads=threads)
    child.rehearse(child.Kind(goes_straight=False))


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
    """One child at work and one that waits for the next order, born while the other works: so no order waits for a birth. Orders in, ends out."""

    def __init__(self, control: socket.socket, child_ended_fd: int, sandbox: str) -> None:
        self._control, self._sandbox = control, sandbox
        self._lines = messages.Lines(control, child.DESCRIPTORS)
        self._child_ended_fd = child_ended_fd
        self._at_work: int | None = None
        self._number = 0
        """Of the newest order: that of the child at work."""
        self._leaving: set[int] = set()
        """Killed, for they have done what they had to; nobody asks how they end."""
        self._waiting: int | None = None
        self._kind = child.Kind()
        self._door: socket.socket | None = None
        """To the child that waits."""
        self._birth_s = math.inf
        """When the next is to be born."""

    def serve(self) -> None:
        """Until the pool process is gone."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(self._child_ended_fd, select.POLLIN)
        self._bear()
        while not self._lines.is_over:
            for fd, _event in poll.poll(self._patience_ms()):
                if fd == self._child_ended_fd:
                    os.read(fd, 512)
                else:
                    self._hear()
            self._note_ends()
            if time.monotonic() >= self._birth_s:
                self._bear()
        for pid in (self._at_work, self._waiting):
            _kill(pid)

    def _patience_ms(self) -> int | None:
        """Until the next birth; None for no end, when none is due."""
        return None if self._birth_s == math.inf else max(0, math.ceil(1000 * (self._birth_s - time.monotonic())))

    def _hear(self) -> None:
        for message in self._lines.read():
            if "stop" in message:
                _kill(self._at_work)
            elif "leave" in message:
                self._let_go()
            else:
                self._let_go()
                self._give(message)

    def _let_go(self) -> None:
        """Of the child at work, if there is one: whoever sends an order has no further use for the last one's child."""
        _kill(self._at_work)
        if self._at_work is not None:
            self._leaving.add(self._at_work)
            self._at_work = None

    def _bear(self) -> None:
        """A child that waits at the other end of ``_door``."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        zygote, self._birth_s = os.getpid(), math.inf
        self._waiting = os.fork()
        if self._waiting == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            child.wait(theirs, zygote, self._kind, self._sandbox)
        theirs.close()
        self._door = ours

    def _give(self, order: messages.Message) -> None:
        self._number = order["number"]
        given, self._lines.descriptors = self._lines.descriptors[: child.DESCRIPTORS], self._lines.descriptors[child.DESCRIPTORS :]
        if not self._hand_in(order, given):  # the one that waited was killed meanwhile
            self._forget_waiting()
            self._bear()
            self._hand_in(order, given)
        for fd in given:
            os.close(fd)
        conversion = messages.Order.from_message(order).conversion
        self._kind = child.Kind.of(conversion)
        if self._waiting is None:
            self._birth_s = time.monotonic() + birth_delay_s(conversion.shape)

    def _hand_in(self, order: messages.Message, descriptors: list[int]) -> bool:
        if self._door is None:
            return False
        door, self._door = self._door, None
        with door:
            try:
                socket.send_fds(door, [messages.packed(order)], descriptors)
            except OSError:
                return False
        self._at_work, self._waiting = self._waiting, None
        self._control.sendall(messages.packed({"taken": self._at_work, "number": self._number}))
        return True

    def _forget_waiting(self) -> None:
        """It is dead or dying, or there is none."""
        if self._waiting is not None:
            os.waitpid(self._waiting, 0)
        self._waiting = None

    def _note_ends(self) -> None:
        """The end of the child at work is told. One that was killed as it waited is replaced when an order comes."""
        if self._at_work is not None:
            pid, status = os.waitpid(self._at_work, os.WNOHANG)
            if pid:
                self._at_work = None
                self._control.sendall(messages.packed({"ended": os.waitstatus_to_exitcode(status), "number": self._number}))
        self._leaving = {pid for pid in self._leaving if not os.waitpid(pid, os.WNOHANG)[0]}
        if self._waiting is not None and os.waitpid(self._waiting, os.WNOHANG)[0]:
            self._waiting = None
            if self._door is not None:
                self._door.close()
                self._door = None


def birth_delay_s(shape: Shape) -> float:
    """How long the next child's birth leaves the processor to an order's start. What is so small that it may be done by then waits for nothing."""
    return BIRTH_DELAY_S if shape.width * shape.height >= SLOW_PIXELS else 0.0


def _kill(pid: int | None) -> None:
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
