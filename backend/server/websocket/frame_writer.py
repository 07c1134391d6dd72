"""Writes frames as the kernel takes them, whole and in order, without a greenlet.

A peer that keeps up gets each frame by one system call. What the kernel does not take waits here; the loop goes on with it. A frame that is not
taken within its time, or a broken connection, ends the writer: after half a frame the peer cannot read on.
"""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event

from backend.server.turns import turns

READ, WRITE = 1, 2
WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class TlsBytes:
    """A TLS socket's bytes with the names that a plain socket has for them. Both raise one of ``WOULD_BLOCK`` instead of waiting."""

    __slots__ = ("recv", "send")

    def __init__(self, sock: Any) -> None:
        self.recv, self.send = sock._sslobj.read, sock._sslobj.write


def native(sock: Any) -> Any:
    """What ``sock``, which is gevent's, reads from and writes to; it never waits."""
    return sock._sock if getattr(sock, "_sslobj", None) is None else TlsBytes(sock)


class FrameWriter:
    """``end`` is called once where the peer can be sent nothing any more."""

    __slots__ = ("_end", "_native", "_sock", "_timeout_s", "_timer", "_waiting", "_watcher", "_written", "is_broken")

    def __init__(self, sock: Any, timeout_s: float, end: Callable[[], None]) -> None:
        self._sock, self._native = sock, native(sock)
        self._timeout_s = timeout_s
        self._end = end
        self._waiting: deque[bytes] | None = None
        self._watcher: Any = None
        self._timer: Any = None
        self._written: Event | None = None
        self.is_broken = False

    @property
    def waiting_frames(self) -> int:
        return len(self._waiting) if self._waiting is not None else 0

    def write(self, frame: bytes) -> None:
        """Never waits."""
        if self._waiting is not None:
            self._waiting.append(frame)
        elif not self.is_broken:
            sent_bytes = self._send(frame)
            if sent_bytes < len(frame) and not self.is_broken:
                self._wait_for_room(frame[sent_bytes:])

    def flush(self) -> None:
        """Wait until all is written. Raises ``ConnectionError`` where it cannot be; whatever else ends the wait breaks off the rest."""
        if self._waiting is not None:
            self._written = self._written or Event()
            try:
                self._written.wait()
            except BaseException:
                self.break_off()
                raise
        if self.is_broken:
            raise ConnectionError("the peer takes nothing")

    def break_off(self) -> None:
        if not self.is_broken:
            self.is_broken = True
            self._stop_waiting()
            self._end()

    def _send(self, data: bytes) -> int:
        try:
            return int(self._native.send(data))
        except WOULD_BLOCK:
            return 0
        except OSError:
            self.break_off()
            return 0

    def _wait_for_room(self, rest: bytes) -> None:
        self._waiting = deque((rest,))
        loop = gevent.get_hub().loop
        self._watcher, self._timer = loop.io(self._sock.fileno(), WRITE), loop.timer(self._timeout_s)
        self._watcher.start(self._write_on)
        self._timer.start(self.break_off)

    def _write_on(self) -> None:
        """In the hub: the kernel has room."""
        waiting = self._waiting
        while waiting and not turns.is_used_up():
            head = waiting[0]
            sent_bytes = self._send(head)
            if self.is_broken:
                return
            if sent_bytes < len(head):
                waiting[0] = head[sent_bytes:]
                return
            waiting.popleft()
            self._timer.stop()
            self._timer.start(self.break_off)
        if not waiting:
            self._stop_waiting()

    def _stop_waiting(self) -> None:
        self._waiting = None
        for each in (self._watcher, self._timer):
            if each is not None:
                each.stop()
                each.close()
        self._watcher = self._timer = None
        if self._written is not None:
            self._written.set()
            self._written = None
