"""The zygote: a small process, exec'd with an empty environment, that has the libraries loaded and forks one child for each order, ahead of it.

No child waits before the first order, nor after a rest: an idle encoder holds no memory for what may not come. It opens no untrusted image, holds
no secret, and ends when its encoder process does; its child dies with it.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import math
import os
import select
import signal
import socket
import time

from backend.codec import messages, pipeline
from backend.codec.image.library_versions import library_versions
from backend.codec.native import arrow_buffer, libjpeg, littlecms
from backend.codec.sandbox import child
from backend.codec.sandbox.warm_up import WarmUp
from backend.codec.sandbox.zygote_family import die_with, fork_for_each
from backend.codec.seal import probe, seccomp, thread_budget
from backend.codec.seal.thread_budget import ThreadQuestions
from backend.core.conversion import Shape
from backend.core.formats import OUTPUT

FORK_DELAY_S = 0.006
"""Longer than an order takes until its image is decoded. The fork and the warm-up take as long, and there may be no processor to spare."""
REST_S = 60.0
"""After so long without an order the child that waits is ended. The next order has one forked, and is 10 to 20 ms later."""
SLOW_PIXELS = 200_000
"""An image of so many pixels takes over 20 ms."""


def main(sandbox: str, guarded_by: int, is_family: bool = False) -> None:
    """``guarded_by`` is the process that started this one, where the kernel is to end this one with it; else 0. ``is_family``: this process only
    loads the codec, and forks a zygote for each encoder process that asks for one (``host/zygote_process.ZygoteFamily``)."""
    die_with(guarded_by)
    control = socket.socket(fileno=messages.CONTROL_FD)
    preload()
    greeting = {"ready": probe.measure_level(sandbox).as_dict(), "versions": library_versions()}
    gc.collect()
    gc.freeze()
    if is_family:
        control = fork_for_each(control)
    control.sendall(messages.pack(greeting | {"pid": os.getpid()}))
    Zygote(control, _sigchld_fd(), sandbox).serve()


def preload() -> None:
    """Load and run everything that a child may need: a sealed child can open no file."""
    logging.disable()
    arrow_buffer.allocate_in_one_block()
    pipeline.preload()
    libjpeg.preload()
    littlecms.preload()
    for threads in (False, True):
        seccomp.program(threads=threads)
    for output in OUTPUT:
        WarmUp(0, takes_fast_path=False, output=output).run()


def _sigchld_fd() -> int:
    """Readable after each SIGCHLD."""
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    os.set_blocking(readable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return readable


class Zygote:
    """Keeps one child at work and one that waits for the next order, forked while the other works. Reads orders, reports ends."""

    def __init__(self, control: socket.socket, sigchld_fd: int, sandbox: str) -> None:
        self._control, self._sandbox = control, sandbox
        self._reader = messages.MessageReader(control, messages.MAX_DESCRIPTORS)
        self._sigchld_fd = sigchld_fd
        self._working_pid: int | None = None
        self._number = 0
        """Of the newest order, which the child at work has."""
        self._abandoned: set[int] = set()
        """Killed after they had reported their result; their ends are not reported."""
        self._waiting_pid: int | None = None
        self._waiting_socket: socket.socket | None = None
        """To the child that waits."""
        self._warm_up: WarmUp | None = None
        """For another image like the last one; None while so many wait that it would take the processor from the one at work."""
        self._fork_at_s = self._rest_at_s = math.inf
        """When the next child is to be forked, and when the one that waits is to be ended."""
        self._poll = select.poll()
        self._thread_questions: ThreadQuestions | None = None
        """Of the child at work, where it may make threads."""

    def serve(self) -> None:
        """Until the encoder process has ended."""
        self._poll.register(self._control, select.POLLIN)
        self._poll.register(self._sigchld_fd, select.POLLIN)
        while not self._reader.is_over:
            for fd, event in self._poll.poll(self._poll_timeout_ms()):
                if fd == self._sigchld_fd:
                    os.read(fd, 512)
                elif self._thread_questions is not None and fd == self._thread_questions.fileno():
                    self._answer(self._thread_questions, event)
                else:
                    self._read_messages()
                    break  # an order brings descriptors, which may have the numbers of events that are still to be looked at
            self._reap()
            now = time.monotonic()
            if now >= self._fork_at_s:
                self._fork_child(self._warm_up)
            if now >= self._rest_at_s:
                self._end_waiting()
        for pid in (self._working_pid, self._waiting_pid):
            _kill(pid)

    def _poll_timeout_ms(self) -> int | None:
        """Until the next fork or rest; None for no limit, when none is due."""
        due_s = min(self._fork_at_s, self._rest_at_s)
        return None if due_s == math.inf else max(0, math.ceil(1000 * (due_s - time.monotonic())))

    def _read_messages(self) -> None:
        for message in self._reader.read():
            if "stop" in message:
                _kill(self._working_pid)
            elif "abandon" in message:
                self._abandon()
            else:
                self._abandon()
                self._assign(message)

    def _abandon(self) -> None:
        """Kill the child at work, if there is one, and do not report its end."""
        _kill(self._working_pid)
        if self._working_pid is not None:
            self._abandoned.add(self._working_pid)
            self._working_pid = None

    def _fork_child(self, warm_up: WarmUp | None) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        own_pid, self._fork_at_s, self._rest_at_s = os.getpid(), math.inf, time.monotonic() + REST_S
        self._waiting_pid = os.fork()
        if self._waiting_pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            child.run(theirs, own_pid, warm_up, self._sandbox)
        theirs.close()
        self._waiting_socket = ours

    def _watch_threads(self, questions: ThreadQuestions | None) -> None:
        """Answer these from now on, and no longer those about the child before: there, the kernel refuses."""
        if self._thread_questions is not None:
            self._poll.unregister(self._thread_questions)
            self._thread_questions.close()
        self._thread_questions = questions
        if questions is not None:
            self._poll.register(questions, select.POLLIN)

    def _answer(self, questions: ThreadQuestions, event: int) -> None:
        if not event & select.POLLIN:
            self._watch_threads(None)
            return
        with contextlib.suppress(OSError):  # the child has died meanwhile
            questions.answer()

    def _assign(self, message: messages.Message) -> None:
        """Give the order to the child that waits; to a new one where that was killed meanwhile."""
        self._number, order = message["number"], messages.Order.from_message(message)
        self._watch_threads(None)
        queued, count = self._reader.descriptors, order.descriptor_count
        descriptors, self._reader.descriptors = queued[:count], queued[count:]
        if not self._send_order(message, order, descriptors):
            self._forget_waiting()
            self._fork_child(None)
            self._send_order(message, order, descriptors)
        for fd in descriptors:
            os.close(fd)
        self._warm_up = None if order.conversion.is_busy else WarmUp.like(order.conversion)
        if self._waiting_pid is None:
            self._fork_at_s = time.monotonic() + fork_delay_s(order.conversion.shape)

    def _send_order(self, message: messages.Message, order: messages.Order, descriptors: list[int]) -> bool:
        if self._waiting_socket is None:
            return False
        waiting_socket, self._waiting_socket = self._waiting_socket, None
        with waiting_socket:
            try:
                socket.send_fds(waiting_socket, [messages.pack(message)], descriptors)
            except OSError:
                return False
            if child.has_threads(order):
                self._watch_threads(thread_budget.receive(waiting_socket))
        self._working_pid, self._waiting_pid = self._waiting_pid, None
        self._control.sendall(messages.pack({"taken": self._working_pid, "number": self._number}))
        return True

    def _end_waiting(self) -> None:
        _kill(self._waiting_pid)
        if self._waiting_socket is not None:
            self._waiting_socket.close()
            self._waiting_socket = None
        self._forget_waiting()
        self._rest_at_s = math.inf

    def _forget_waiting(self) -> None:
        """It is dead or dying, or there is none."""
        if self._waiting_pid is not None:
            os.waitpid(self._waiting_pid, 0)
        self._waiting_pid = None

    def _reap(self) -> None:
        """Report the end of the child at work. One that was killed while it waited is replaced when an order comes."""
        if self._working_pid is not None:
            pid, status = os.waitpid(self._working_pid, os.WNOHANG)
            if pid:
                self._working_pid = None
                self._control.sendall(messages.pack({"ended": os.waitstatus_to_exitcode(status), "number": self._number}))
        self._abandoned = {pid for pid in self._abandoned if not os.waitpid(pid, os.WNOHANG)[0]}
        if self._waiting_pid is not None and os.waitpid(self._waiting_pid, os.WNOHANG)[0]:
            self._waiting_pid = None
            if self._waiting_socket is not None:
                self._waiting_socket.close()
                self._waiting_socket = None


def fork_delay_s(shape: Shape) -> float:
    """How long the order has the processor to itself before the next child is forked. A small image may be done by then, so it is not delayed."""
    return FORK_DELAY_S if shape.width * shape.height >= SLOW_PIXELS else 0.0


def _kill(pid: int | None) -> None:
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
