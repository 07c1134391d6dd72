"""How a WebSocket is read. A greenlet may wait in ``receive``. Or ``keep`` gives the socket to a ``Handler``, and no greenlet waits.

Then the loop tells that bytes came. Short messages are handled right there, and others in a greenlet that lives for so long. So a client who only
watches costs a few kilobytes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

import gevent
from gevent.lock import BoundedSemaphore

from backend.errors import Overstayed
from backend.server.turns import turns
from backend.server.websocket.endpoint import CLOSE_WAIT_S, Endpoint
from backend.server.websocket.frame_writer import READ, WOULD_BLOCK, native
from backend.server.websocket.frames import MESSAGES

RECEIVE_BYTES = 16 * 1024
"""Not less than a TLS record: what OpenSSL has taken from the socket, no loop tells of."""
SHORT_BYTES = 256
"""So much may be handled in the loop itself: some pings and pongs. What more comes at once is a greenlet's."""

log = logging.getLogger(__name__)


class Handler(Protocol):
    """Who gets the messages of a WebSocket that is kept."""

    def handle_now(self, message: str | bytes) -> bool:
        """Handle a message that needs neither waiting nor time. False: it does. Called by the loop."""

    def handle(self, message: str | bytes) -> None:
        """Called in a greenlet, for one message after the other."""

    def ended(self) -> None:
        """The connection is over. Called in a greenlet, once."""


class WebSocket(Endpoint):
    __slots__ = ("_handler", "_on_end", "_reading", "_watcher")

    def __init__(self, *arguments: Any, on_end: Callable[[bool], None] = lambda was_cut: None, **named: Any) -> None:
        """``on_end`` is called where the socket was kept, in a greenlet, as the last of all; with True where the watchdog ended the handler, so
        that the peer should not take it for a good end."""
        super().__init__(*arguments, **named)
        self._reading = BoundedSemaphore(1)
        self._handler: Handler | None = None
        self._on_end = on_end

    def receive(self) -> str | bytes | None:
        """The next message; pings are answered on the way. None once the connection has ended, for whatever reason."""
        self._ensure_accepted()
        with self._reading:
            while not self._has_ended:
                turns.give_turn()
                frame = self._next_frame()
                if frame is not None and frame[0] in MESSAGES:
                    return frame[1]
                if frame is None and not self._has_ended:
                    self._read()
            return None

    def wait_for_reader(self) -> None:
        """After ``close``: until another greenlet's ``receive`` has returned, since two may not read from one socket, and until all is written."""
        if self._reading.acquire(timeout=2 * CLOSE_WAIT_S):
            self._reading.release()
        self._flush_quietly()

    @property
    def is_kept(self) -> bool:
        return self._handler is not None

    def keep(self, handler: Handler) -> None:
        """Let the loop read from now on."""
        self._ensure_accepted()
        self._handler = handler
        self._watcher = gevent.get_hub().loop.io(self._sock.fileno(), READ)  # gevent's own takes its callback for a greenlet's
        gevent.spawn(self._handle_messages, None)  # what came with the handshake

    def _read(self) -> None:
        """Wait for bytes."""
        try:
            self._feed(self._sock.recv(RECEIVE_BYTES))
        except OSError:
            self._feed(b"")

    def _read_now(self) -> int:
        """How many bytes came; the end counts as more than can come at once. 0: none. Raises nothing."""
        try:
            data: bytes = native(self._sock).recv(RECEIVE_BYTES)
        except WOULD_BLOCK:
            return 0
        except OSError:
            data = b""
        self._feed(data)
        return len(data) or RECEIVE_BYTES + 1

    def _on_readable(self) -> None:
        """In the hub, where nothing may wait. What is left alone now is told again in the next round."""
        if turns.is_used_up() or not (count := self._read_now()):
            return
        assert self._handler is not None
        while count <= SHORT_BYTES and (frame := self._next_frame()) is not None:
            if frame[0] in MESSAGES and not self._handler.handle_now(frame[1]):
                self._leave_the_loop(frame[1])
                return
        if count > SHORT_BYTES or self._has_ended:
            self._leave_the_loop(None)

    def _leave_the_loop(self, message: str | bytes | None) -> None:
        self._watcher.stop()
        gevent.spawn(self._handle_messages, message)

    def _handle_messages(self, message: str | bytes | None) -> None:
        """In a greenlet: ``message``, and all that has come. Then the loop reads again."""
        try:
            if message is not None:
                self._handle(message)
            while not self._has_ended and ((frame := self._next_frame()) is not None or self._read_now()):
                if frame is not None and frame[0] in MESSAGES:
                    self._handle(frame[1])
                turns.give_turn()
        except Overstayed:
            self._finish(was_cut=True)
        except Exception as error:
            log.error("unexpected %r on a WebSocket", error, exc_info=error)
            self._finish(was_cut=True)
        else:
            if self._has_ended:
                self._finish(was_cut=False)
            else:
                self._watcher.start(self._on_readable)

    def _handle(self, message: str | bytes) -> None:
        assert self._handler is not None
        if not self._has_ended and not self._handler.handle_now(message):
            self._handler.handle(message)

    def _finish(self, *, was_cut: bool) -> None:
        assert self._handler is not None
        self._has_ended = True
        try:
            self._handler.ended()
            if self._has_sent_close and not was_cut:
                self._flush_quietly()
        finally:
            self._watcher.close()
            self._writer.break_off()
            self._on_end(was_cut)
