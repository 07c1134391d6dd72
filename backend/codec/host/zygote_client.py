"""An encoder process's connection to its zygote: starts it when first needed and again after it has died, and sends it one order at a time."""

from __future__ import annotations

import socket
from typing import Any

from backend.codec import messages
from backend.codec.host.zygote_process import ExecutedZygote, ForkedZygote, ZygoteFamily, launch

START_TIMEOUT_S = 30.0
END_TIMEOUT_S = 5.0


class ZygoteFailed(Exception):
    """The zygote does not start, or does not answer."""


class ZygoteClient:
    """``child_pid`` is the child that has the newest order, once that is known. ``level`` is what the start-up probe of the seal found.
    ``versions`` are those of the libraries, by name."""

    def __init__(self, sandbox: str, family: ZygoteFamily | None = None) -> None:
        self._sandbox, self._family = sandbox, family
        self._process: ExecutedZygote | ForkedZygote | None = None
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
        if self._process is not None and self._process.is_alive():
            return False
        self.stop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            is_forked = self._family is not None and self._family.fork(theirs)
            if not is_forked:
                self._process = ExecutedZygote(launch(self._sandbox, theirs))
        ours.settimeout(START_TIMEOUT_S)
        self._control, self._reader = ours, messages.MessageReader(ours)
        greeting = self._read_greeting()
        if is_forked:
            self._process = ForkedZygote(greeting["pid"])
        self.level, self.versions = dict(greeting["ready"]), dict(greeting.get("versions", {}))
        return True

    @property
    def zygote_pid(self) -> int | None:
        return None if self._process is None else self._process.pid

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
            self._process.kill(END_TIMEOUT_S)
        self._control = self._reader = self._process = self.child_pid = None

    def _read_greeting(self) -> messages.Message:
        """What the zygote says first, once it is ready: the level of its seal, the versions of its libraries, its process id."""
        assert self._reader is not None
        try:
            received = self._reader.read()
        except (OSError, messages.MalformedMessage) as error:
            self.stop()
            raise ZygoteFailed(str(error)) from error
        if not received or not isinstance(received[0].get("ready"), dict):
            self.stop()
            raise ZygoteFailed("the zygote ended before it was ready")
        return received[0]
