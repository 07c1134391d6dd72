"""The server's end of a WebSocket (RFC 6455) without the reading: messages and control frames out, the peer's control frames answered, the close.

gevent-websocket's sets no limit on a message (200 MB in unfinished fragments are kept), unmasks byte by byte in Python (1 MB stops the loop for
0.2 s) and may mix the frames of two greenlets. No extension is spoken, and so no compression, which could hide a huge message in a small frame.

Close codes sent: 1002 protocol error, 1007 not UTF-8, 1008 too many frames, 1009 message too big, and what the application chooses.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import gevent

from backend.server.connection_limits import ConnectionLimits
from backend.server.websocket import frames
from backend.server.websocket.frame_parser import FrameParser
from backend.server.websocket.frame_writer import FrameWriter
from backend.server.websocket.frames import CLOSE, CONTROL_PAYLOAD_BYTES, NORMAL, PING, PONG, Frame, Violation

CLOSE_WAIT_S = 2.0
"""How long a peer may take to answer our close frame."""


class WebSocketClosed(ConnectionError):
    """Nothing can be sent any more: the peer has gone, or one side has closed."""


class Endpoint:
    """``accept`` sends the 101. It is called once, before the first byte is read or written. ``pending`` was read from the socket before."""

    __slots__ = ("_accept", "_has_ended", "_has_sent_close", "_parser", "_silence_s", "_sock", "_writer", "close_code", "path")

    def __init__(
        self, sock: Any, path: str = "", *, accept: Callable[[], None] = lambda: None, pending: bytes = b"", limits: ConnectionLimits | None = None
    ) -> None:
        limits = limits or ConnectionLimits()
        self.path = path
        self.close_code: int | None = None
        self._sock = sock
        self._accept: Callable[[], None] | None = accept
        self._has_sent_close = False
        self._has_ended = False
        self._silence_s: float | None = None
        self._parser = FrameParser(limits, pending)
        self._writer = FrameWriter(sock, limits.websocket_write_timeout_s, self._end_reading)

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._has_sent_close or self._has_ended

    @property
    def waiting_frames(self) -> int:
        """How many the kernel has not taken yet."""
        return self._writer.waiting_frames

    def settimeout(self, seconds: float | None) -> None:
        """Give the peer up after so many seconds of silence, in which a greenlet waits for it."""
        self._silence_s = seconds
        if self._accept is None:
            self._sock.settimeout(seconds)

    def send(self, message: str | bytes) -> None:
        """Waits until the kernel has taken it. Raises ``WebSocketClosed``, which is a ``ConnectionError``, when it cannot be delivered."""
        self._send(frames.message_frame(message))

    def send_soon(self, frame: bytes) -> None:
        """Write a whole frame without waiting: what the kernel does not take now goes out as it has room. Lost on a socket that is closed."""
        if self._accept is not None:
            self._ensure_accepted()
        if not self._has_sent_close and not self._has_ended:
            self._writer.write(frame)

    def ping(self, payload: bytes = b"") -> None:
        """Raises ``WebSocketClosed``."""
        self._send(frames.frame(PING, payload[:CONTROL_PAYLOAD_BYTES]))

    def close(self, code: int | None = NORMAL, message: str | bytes = b"") -> None:
        """Send a close frame if none was sent, behind what is still to be written. The peer has ``CLOSE_WAIT_S`` to answer it. Never waits."""
        if self._accept is None and not self.closed:
            self._send_close(code, message)
            gevent.get_hub().loop.timer(CLOSE_WAIT_S).start(self._end_reading)

    def _ensure_accepted(self) -> None:
        if self._accept is not None:
            accept, self._accept = self._accept, None
            accept()
            self._sock.settimeout(self._silence_s)

    def _feed(self, data: bytes) -> None:
        if data:
            self._parser.feed(data)
        else:
            self._has_ended = True

    def _next_frame(self) -> Frame | None:
        """The next one of what has come. A control frame has been handled. None: there is no whole one, or the connection has ended."""
        try:
            frame = self._parser.next()
            if frame is not None and frame[0] in frames.CONTROL_OPCODES:
                self._handle_control(*frame)
            return frame
        except Violation as violation:
            self._send_close(violation.code)
            self._has_ended = True
            return None

    def _handle_control(self, opcode: int, payload: str | bytes) -> None:
        assert isinstance(payload, bytes)
        if opcode == PING and not self.closed:
            self._writer.write(frames.frame(PONG, payload))
        elif opcode == CLOSE:
            self.close_code = frames.close_code(payload)
            self._send_close(self.close_code, payload[2:])
            self._has_ended = True

    def _send_close(self, code: int | None, reason: str | bytes = b"") -> None:
        if not self.closed:
            self._writer.write(frames.frame(CLOSE, frames.close_payload(code, reason)))
            self._has_sent_close = True

    def _send(self, frame: bytes) -> None:
        self._ensure_accepted()
        if self.closed:
            raise WebSocketClosed("already closed")
        try:
            self._writer.write(frame)
            self._writer.flush()
        except OSError as error:
            raise WebSocketClosed(str(error)) from None

    def _flush_quietly(self) -> None:
        try:
            self._writer.flush()
        except OSError:
            pass

    def _end_reading(self) -> None:
        """End a wait for the peer's next bytes. Where the writer is broken, nothing can be sent any more either."""
        self._has_ended = self._has_ended or self._writer.is_broken
        try:
            self._sock.shutdown(socket.SHUT_RD)
        except OSError:
            pass
