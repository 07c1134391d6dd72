"""A server's WebSocket (RFC 6455) over a gevent socket, limited in message size and in time.

It has the methods of gevent-websocket's ``WebSocket``, which python-engineio calls. It replaces that one, which sets no limit on a message (200 MB
in unfinished fragments are kept). That one also unmasks byte by byte in Python (1 MB stops the loop for 0.2 s) and may mix the frames of two
greenlets. Here one greenlet writes at a time and has ``write_timeout_s`` for a frame. No extension is spoken, and so no compression, which could
hide a huge message in a small frame.

Close codes sent: 1002 protocol error, 1007 not UTF-8, 1008 too many frames, 1009 message too big, and what the application chooses.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import gevent
from gevent.lock import BoundedSemaphore
from gevent.socket import socket as PlainSocket
from geventwebsocket.exceptions import WebSocketError

from backend.server.connection_limits import ConnectionLimits
from backend.server.websocket import frames
from backend.server.websocket.frame_budget import FrameBudget
from backend.server.websocket.frame_reader import FrameReader
from backend.server.websocket.frames import BINARY, CLOSE, CONTROL_OPCODES, CONTROL_PAYLOAD_BYTES, NORMAL, PING, PONG, TEXT, Header, Violation
from backend.server.websocket.message import Message

CLOSE_WAIT_S = 2.0
"""How long a peer may take to answer our close frame."""


class WebSocketClosed(WebSocketError, ConnectionError):  # type: ignore[misc]
    """Nothing can be sent any more: the peer has gone, or one side has closed."""


class WebSocket:
    """``accept`` sends the 101. It is called once, before the first byte is read or written. ``pending`` was read from the socket before."""

    def __init__(
        self,
        environ: dict[str, Any],
        sock: Any,
        *,
        accept: Callable[[], None] = lambda: None,
        pending: bytes = b"",
        limits: ConnectionLimits | None = None,
    ) -> None:
        limits = limits or ConnectionLimits()
        self.environ = environ
        self.close_code: int | None = None
        self._sock = sock
        self._accept = accept
        self._is_accepted = False
        self._has_sent_close = False
        self._has_ended = False
        self._silence_s: float | None = None
        self._reader = FrameReader(sock, pending)
        self._message = Message(limits.websocket_message_bytes)
        self._budget = FrameBudget(limits)
        self._write_timeout_s = limits.websocket_write_timeout_s
        self._writing = BoundedSemaphore(1)
        self._reading = BoundedSemaphore(1)

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._has_sent_close or self._has_ended

    @property
    def path(self) -> str | None:
        return self.environ.get("PATH_INFO")

    @property
    def origin(self) -> str | None:
        return self.environ.get("HTTP_ORIGIN")

    @property
    def protocol(self) -> str | None:
        return self.environ.get("HTTP_SEC_WEBSOCKET_PROTOCOL")

    @property
    def version(self) -> str | None:
        return self.environ.get("HTTP_SEC_WEBSOCKET_VERSION")

    def settimeout(self, seconds: float | None) -> None:
        """Give the peer up after so many seconds of silence. python-engineio sets its ping interval and timeout."""
        self._silence_s = seconds
        if self._is_accepted:
            self._sock.settimeout(seconds)

    def receive(self) -> str | bytes | None:
        """The next message; pings are answered on the way. None once the connection has ended, for whatever reason."""
        self._ensure_accepted()
        with self._reading:
            try:
                return None if self._has_ended else self._next_message()
            except Violation as violation:
                self._send_close(violation.code)
            except OSError:
                pass
            self._has_ended = True
            return None

    def wait_for_reader(self) -> None:
        """After ``close``: until another greenlet's ``receive`` has returned, since two may not read from one socket."""
        if self._reading.acquire(timeout=2 * CLOSE_WAIT_S):
            self._reading.release()

    def send(self, message: str | bytes | bytearray, binary: bool | None = None) -> None:
        """Raises ``WebSocketClosed``, which is a ``ConnectionError``, when the message cannot be delivered."""
        if isinstance(message, str):
            self._send_frame(BINARY if binary else TEXT, message.encode())
        else:
            self._send_frame(TEXT if binary is False else BINARY, bytes(message))

    def send_now(self, frame: bytes) -> bool:
        """Write a whole frame without waiting. False: nothing was written, since another greenlet writes or the kernel's buffer is full.

        If the kernel takes only a part, a greenlet of its own writes the rest, before anything else is written.
        """
        sock = self._sock
        if not self._is_accepted or self.closed or type(sock) is not PlainSocket or not self._writing.acquire(blocking=False):
            return False
        sent_bytes = 0
        try:
            sent_bytes = sock._sock.send(frame)  # type: ignore[attr-defined]
        except OSError:  # The buffer is full, or the connection is broken: ``send`` waits, or finds out.
            pass
        if 0 < sent_bytes < len(frame):
            gevent.spawn(self._finish_frame, frame[sent_bytes:])
            return True
        self._writing.release()
        return bool(sent_bytes)

    def ping(self, payload: bytes = b"") -> None:
        """Raises ``WebSocketClosed``."""
        self._send_frame(PING, payload[:CONTROL_PAYLOAD_BYTES])

    def close(self, code: int | None = NORMAL, message: str | bytes = b"") -> None:
        """Send a close frame if none was sent. The peer has ``CLOSE_WAIT_S`` to answer it. Any greenlet may call this."""
        if self._is_accepted and not self.closed:
            self._send_close(code, message)
            gevent.spawn_later(CLOSE_WAIT_S, stop_reading, self._sock)

    def _ensure_accepted(self) -> None:
        if not self._is_accepted:
            self._is_accepted = True
            self._accept()
            self._sock.settimeout(self._silence_s)

    def _next_message(self) -> str | bytes | None:
        while True:
            header = self._reader.read_header()
            self._budget.spend(header)
            if header.opcode in CONTROL_OPCODES:
                if self._handle_control(header):
                    return None
                continue
            self._message.begin_fragment(header)
            for piece in self._reader.payload(header):
                self._message.add(piece)
            if header.is_final:
                return self._message.finish()

    def _handle_control(self, header: Header) -> bool:
        """Whether it was the peer's close frame."""
        payload = b"".join(self._reader.payload(header))
        if header.opcode == PING and not self.closed:
            self._send_frame(PONG, payload)
        if header.opcode != CLOSE:
            return False
        self.close_code = frames.close_code(payload)
        self._send_close(self.close_code, payload[2:])
        self._has_ended = True
        return True

    def _send_close(self, code: int | None, reason: str | bytes = b"") -> None:
        if not self.closed:
            try:
                self._send_frame(CLOSE, frames.close_payload(code, reason))
            except WebSocketClosed:
                pass

    def _send_frame(self, opcode: int, payload: bytes) -> None:
        self._ensure_accepted()
        try:
            with gevent.Timeout(self._write_timeout_s, TimeoutError("slow reader")), self._writing:
                self._write(opcode, payload)
        except OSError as error:
            raise WebSocketClosed(str(error)) from None

    def _write(self, opcode: int, payload: bytes) -> None:
        if self.closed:
            raise WebSocketClosed("already closed")
        is_whole = False
        try:
            self._sock.sendall(frames.encode_header(opcode, len(payload)) + payload)
            is_whole = True
        finally:  # After half a frame the peer cannot read on. The caller's own timeouts end up here too.
            self._has_sent_close = opcode == CLOSE
            if not is_whole:
                self._has_ended = True
                stop_reading(self._sock)

    def _finish_frame(self, rest: bytes) -> None:
        """Write the end of a frame that ``send_now`` began, and release the lock that it holds."""
        try:
            with gevent.Timeout(self._write_timeout_s, TimeoutError("slow reader")):
                self._sock.sendall(rest)
        except OSError:
            self._has_ended = True
            stop_reading(self._sock)
        finally:
            self._writing.release()


def stop_reading(sock: Any) -> None:
    """End a wait for the peer's next bytes."""
    try:
        sock.shutdown(socket.SHUT_RD)
    except OSError:
        pass
