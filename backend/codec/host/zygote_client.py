"""An encoder process's connection to its zygote: starts it when first needed and again after it has died, and sends it one order at a time."""

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

START_TIMEOUT_S = 30.0
END_TIMEOUT_S = 5.0
ROOT = Path(__file__).resolve().parents[3]
LAUNCH = "import sys; sys.path.insert(0, {root!r}); from backend.codec.sandbox.zygote import main; main({sandbox!r}, {guarded_by})"
ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "MALLOC_ARENA_MAX": "1",
    "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=4294967296",
}
"""All that the zygote gets. A heap that is never given back lets the encoder use the decoded image's memory again; new memory the kernel would have
to clear first; ``bench/limits.py`` measures it as “heap kept”. Huge pages for it (``glibc.malloc.hugetlb``) are not asked for: 2 % less processor
time while images follow each other, but 7 % more for 24 megapixels after a rest of six seconds, on a virtual machine."""


class ZygoteFailed(Exception):
    """The zygote does not start, or does not answer."""


class ZygoteClient:
    """``child_pid`` is the child that has the newest order, once that is known. ``level`` is what the start-up probe of the seal found.
    ``versions`` are those of the libraries, by name."""

    def __init__(self, sandbox: str) -> None:
        self._sandbox = sandbox
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._reader: messages.MessageReader | None = None
        self._number = 0
        self._exit_status: int | None = None
        """Of the child with the newest order, once it is known: the zygote tells it once."""
        self.child_pid: int | None = None
        self.level: dict[str, Any] = {}
        self.versions: dict[str, str] = {}

    def start(self) -> bool:
        """Whether the zygote was started now; it may run already. Raises ``ZygoteFailed``."""
        if self._process is not None and self._process.poll() is None:
            return False
        self.stop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            self._process = _launch(self._sandbox, theirs)
        ours.settimeout(START_TIMEOUT_S)
        self._control, self._reader = ours, messages.MessageReader(ours)
        self.level, self.versions = self._read_greeting()
        return True

    def send_order(self, order: messages.Order, descriptors: list[int]) -> None:
        """To a zygote that was started. Raises ``ZygoteFailed``."""
        assert self._control is not None
        self.child_pid = self._exit_status = None
        self._number += 1
        try:
            socket.send_fds(self._control, [messages.pack(order.as_message() | {"number": self._number})], descriptors)
        except OSError as error:
            self.stop()
            raise ZygoteFailed(str(error)) from error

    def read_exit_status(self) -> int | None:
        """How the child with the newest order ended, if it has. Raises ``MalformedMessage``, ``OSError``.

        Messages about an earlier order are skipped: its child was abandoned before they were read.
        """
        assert self._reader is not None
        for message in self._reader.read():
            if message.get("number") != self._number:
                continue
            if isinstance(message.get("taken"), int):
                self.child_pid = message["taken"]
            elif isinstance(message.get("ended"), int):
                self._exit_status = int(message["ended"])
        return self._exit_status

    @property
    def is_over(self) -> bool:
        return self._reader is None or self._reader.is_over

    def kill_child(self) -> None:
        """SIGKILL; the child is gone when this returns. A zygote that does not answer is killed too, and its child with it."""
        if self._exit_status is not None:
            return
        try:
            assert self._control is not None
            self._control.sendall(messages.pack({"stop": True}))
            self._control.settimeout(END_TIMEOUT_S)
            while self.read_exit_status() is None:
                if self.is_over:
                    raise ZygoteFailed("the zygote ended")
        except (OSError, AssertionError, messages.MalformedMessage, ZygoteFailed):
            self.stop()

    def abandon_child(self) -> None:
        """Have a child that has reported its result killed, without waiting for its end."""
        if self._control is None:
            return
        try:
            self._control.sendall(messages.pack({"abandon": True}))
        except OSError:
            self.stop()

    def fileno(self) -> int:
        """Readable when there are messages for ``read_exit_status``."""
        return self._control.fileno() if self._control is not None else -1

    def stop(self) -> None:
        """The zygote, its child and every descriptor are gone afterwards."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)
            self._process.wait(END_TIMEOUT_S)
        self._control = self._reader = self._process = self.child_pid = None

    def _read_greeting(self) -> tuple[dict[str, Any], dict[str, str]]:
        """What the zygote says first, once it is ready: the level of its seal, and the versions of its libraries."""
        assert self._reader is not None
        try:
            received = self._reader.read()
        except (OSError, messages.MalformedMessage) as error:
            self.stop()
            raise ZygoteFailed(str(error)) from error
        if not received or not isinstance(received[0].get("ready"), dict):
            self.stop()
            raise ZygoteFailed("the zygote ended before it was ready")
        return dict(received[0]["ready"]), dict(received[0].get("versions", {}))


def _launch(sandbox: str, control: socket.socket) -> subprocess.Popen[bytes]:
    """In a session of its own, so that a terminal's Ctrl-C does not reach it: the encoder process may finish its job first, and ends it then.

    PR_SET_PDEATHSIG acts when the thread that started the process ends, so it is asked for from the main thread only.
    """
    guarded_by = os.getpid() if kernel.IS_LINUX and threading.current_thread() is threading.main_thread() else 0
    command = LAUNCH.format(root=str(ROOT), sandbox=sandbox, guarded_by=guarded_by)
    return subprocess.Popen(
        [sys.executable, "-I", "-B", "-c", _MOVE_DESCRIPTOR.format(given=control.fileno(), wanted=messages.CONTROL_FD) + command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(control.fileno(),),
        env=ENVIRONMENT,
        start_new_session=True,
    )


_MOVE_DESCRIPTOR = "import os; os.dup2({given}, {wanted}, inheritable=False); {given} == {wanted} or os.close({given}); "
