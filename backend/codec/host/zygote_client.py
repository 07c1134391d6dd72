"""A pool process's hold on its zygote: started when first needed, started anew when it has died, given one order at a time."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from backend.codec import messages
from backend.codec.seal import kernel

READY_WITHIN_S = 30.0
GONE_WITHIN_S = 5.0
ROOT = Path(__file__).resolve().parents[3]
LAUNCH = "import sys; sys.path.insert(0, {root!r}); from backend.codec.sandbox.zygote import main; main({sandbox!r}, {guarded_by})"
ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "MALLOC_ARENA_MAX": "1",
    "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=4294967296",
}
"""All that the zygote gets. A heap that is never given back lets the encoder use what the decoded image held, instead of memory that the kernel must
clear first."""


class Broken(Exception):
    """The zygote does not start, or does not answer."""


class Keeper:
    """``control`` speaks with the zygote; see ``messages``. ``child_pid``: who has the newest order, once that is known."""

    def __init__(self, sandbox: str) -> None:
        self._sandbox = sandbox
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._lines: messages.Lines | None = None
        self._number = 0
        self.child_pid: int | None = None
        self.level: dict[str, Any] = {}

    def start(self) -> bool:
        """Unless it runs; whether it was started now. Raises ``Broken``."""
        if self._process is not None and self._process.poll() is None:
            return False
        self.end()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            self._process = _launched(self._sandbox, theirs)
        ours.settimeout(READY_WITHIN_S)
        self._control, self._lines = ours, messages.Lines(ours)
        self.level = self._ready()
        return True

    def order(self, order: messages.Order, descriptors: list[int]) -> None:
        """To a zygote that was started. Raises ``Broken``."""
        assert self._control is not None
        self.child_pid = None
        self._number += 1
        try:
            socket.send_fds(self._control, [messages.packed(order.as_message() | {"number": self._number})], descriptors)
        except OSError as error:
            self.end()
            raise Broken(str(error)) from error

    def hear(self) -> int | None:
        """What the zygote says now: how the child ended that has the newest order, if it did. Raises ``Garbled``, ``OSError``.

        What concerns an earlier order is that of a child that was let go, before anybody read that it had been taken, or had ended.
        """
        assert self._lines is not None
        for message in self._lines.read():
            if message.get("number") != self._number:
                continue
            if isinstance(message.get("taken"), int):
                self.child_pid = message["taken"]
            elif isinstance(message.get("ended"), int):
                return int(message["ended"])
        return None

    @property
    def is_over(self) -> bool:
        return self._lines is None or self._lines.is_over

    def end_child(self) -> None:
        """SIGKILL, at once; it is gone when this returns. A zygote that does not answer is ended itself, and its child with it."""
        try:
            assert self._control is not None
            self._control.sendall(messages.packed({"stop": True}))
            self._control.settimeout(GONE_WITHIN_S)
            while self.hear() is None:
                if self.is_over:
                    raise Broken("the zygote ended")
        except (OSError, AssertionError, messages.Garbled, Broken):
            self.end()

    def let_go(self) -> None:
        """The child has nothing left to do but to end: it is killed, and nobody waits for it."""
        if self._control is None:
            return
        try:
            self._control.sendall(messages.packed({"leave": True}))
        except OSError:
            self.end()

    def fileno(self) -> int:
        return self._control.fileno() if self._control is not None else -1

    def end(self) -> None:
        """The zygote, its child and every descriptor are gone afterwards."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)
            self._process.wait(GONE_WITHIN_S)
        self._control = self._lines = self._process = self.child_pid = None

    def _ready(self) -> dict[str, Any]:
        assert self._lines is not None
        try:
            received = self._lines.read()
        except (OSError, messages.Garbled) as error:
            self.end()
            raise Broken(str(error)) from error
        if not received or not isinstance(received[0].get("ready"), dict):
            self.end()
            raise Broken("the zygote ended before it was ready")
        return dict(received[0]["ready"])


def _launched(sandbox: str, control: socket.socket) -> subprocess.Popen[bytes]:
    """A new session, so that no terminal's Ctrl-C reaches it: it ends with the pool process, which may finish its job first.

    PR_SET_PDEATHSIG acts when the thread that started the process ends, so it is only asked for from the main one.
    """
    guarded_by = os.getpid() if kernel.IS_LINUX and threading.current_thread() is threading.main_thread() else 0
    command = LAUNCH.format(root=str(ROOT), sandbox=sandbox, guarded_by=guarded_by)
    return subprocess.Popen(
        [sys.executable, "-I", "-B", "-c", _MOVE.format(given=control.fileno(), wanted=messages.CONTROL_FD) + command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(control.fileno(),),
        env=ENVIRONMENT,
        start_new_session=True,
    )


_MOVE = "import os; os.dup2({given}, {wanted}, inheritable=False); {given} == {wanted} or os.close({given}); "
