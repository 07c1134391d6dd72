"""A server's WebSocket by RFC 6455 over a gevent socket, bounded in message size and in time.

It has the surface of gevent-websocket's ``WebSocket``, which python-engineio drives: ``receive``, ``send``, ``close``, ``path``, …
That one keeps no limit on a message (200 MB in unfinished fragments are kept), unmasks byte by byte in Python (1 MB stops the
loop for 0.2 s) and may mix the frames of two greenlets. Here a frame is refused by its header, before its payload is read;
UTF-8 is checked as it comes in; one writer at a time has ``write_timeout_s``. No extension is spoken, so no compression bomb.

Close codes sent: 1002 protocol error, 1007 not UTF-8, 1009 message too big, and what the application chooses.
"""

from __future__ import annotations

import codecs
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import gevent
from gevent.lock import BoundedSemaphore
from gevent.socket import socket as PlainSocket
from geventwebsocket.exceptions import WebSocketError

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
CONTROL_OPCODES = (CLOSE, PING, PONG)
OPCODES = (CONTINUATION, TEXT, BINARY, *CONTROL_OPCODES)
CONTROL_PAYLOAD_BYTES = 125

NORMAL, PROTOCOL_ERROR, NOT_UTF8, TOO_BIG = 1000, 1002, 1007, 1009

RECEIVE_BYTES = 16 * 1024

# A peer that floods never lets recv() wait; so much is handled before the others have their turn (about a millisecond).
FRAMES_PER_TURN = 100

# How long a peer may take to answer our close frame.
CLOSE_WAIT_S = 2.0


class WebSocketClosed(WebSocketError, ConnectionError):  # type: ignore[misc]
    """Nothing can be sent any more: the peer has gone, or one side has closed."""


class Violation(Exception):
    """What the peer did, as the close code that answers it (RFC 6455 §7.4.1)."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Header(NamedTuple):
    is_final: bool
    opcode: int
    length: int
    mask: bytes


class Message:
    """The message that is being put together from fragments; ``opcode`` is 0 between two messages."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._clear()

    def _clear(self) -> None:
        self.opcode = CONTINUATION
        self._size = 0
        self._texts: list[str] = []
        self._bytes = bytearray()
        self._decoder.reset()

    def expect(self, header: Header) -> None:
        """Take note of a data frame by its header, or refuse it."""
        if (header.opcode == CONTINUATION) == (self.opcode == CONTINUATION):
            raise Violation(PROTOCOL_ERROR)
        self.opcode = self.opcode or header.opcode
        self._size += header.length
        if self._size > self._limit_bytes:
            raise Violation(TOO_BIG)

    def add(self, piece: bytes) -> None:
        if self.opcode == TEXT:
            self._texts.append(self._decode(piece))
        else:
            self._bytes += piece

    def finish(self) -> str | bytes:
        if self.opcode == TEXT:
            self._texts.append(self._decode(b"", final=True))
        whole = "".join(self._texts) if self.opcode == TEXT else bytes(self._bytes)
        self._clear()
        return whole

    def _decode(self, piece: bytes, final: bool = False) -> str:
        try:
            return self._decoder.decode(piece, final)
        except UnicodeDecodeError:
            raise Violation(NOT_UTF8) from None


class WebSocket:
    """One WebSocket. ``accept`` is called once, before the first byte moves; ``pending`` came in before that."""

    def __init__(
        self,
        environ: dict[str, Any],
        sock: Any,
        *,
        accept: Callable[[], None] = lambda: None,
        pending: bytes = b"",
        message_bytes: int = 64 * 1024,
        write_timeout_s: float = 30.0,
    ) -> None:
        self.environ = environ
        self.close_code: int | None = None
        self._sock = sock
        self._accept = accept
        self._is_accepted = False
        self._has_sent_close = False
        self._has_ended = False
        self._silence_s: float | None = None
        self._since_turn = 0
        self._buffer = bytearray(pending)
        self._message = Message(message_bytes)
        self._write_timeout_s = write_timeout_s
        self._writing = BoundedSemaphore(1)

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
        """Give the peer up after so many seconds of silence; python-engineio sets its ping interval and timeout."""
        self._silence_s = seconds
        if self._is_accepted:
            self._sock.settimeout(seconds)

    def receive(self) -> str | bytes | None:
        """The next message, answering pings on the way; ``None`` once the connection has ended, for whatever reason."""
        self._ensure_accepted()
        try:
            return None if self._has_ended else self._next_message()
        except Violation as violation:
            self._send_close(violation.code)
        except OSError:
            pass
        self._has_ended = True
        return None

    def send(self, message: str | bytes | bytearray, binary: bool | None = None) -> None:
        """One message; raises ``WebSocketClosed``, which is a ``ConnectionError``, when it cannot be delivered any more."""
        if isinstance(message, str):
            self._send_frame(BINARY if binary else TEXT, message.encode())
        else:
            self._send_frame(TEXT if binary is False else BINARY, bytes(message))

    def send_now(self, frame: bytes) -> bool:
        """Write a whole frame in this very call, if nobody else is writing and the kernel takes its beginning; else nothing was written.

        What the kernel leaves over is written by a greenlet of its own, before anything else.
        """
        sock = self._sock
        if not self._is_accepted or self.closed or type(sock) is not PlainSocket or not self._writing.acquire(blocking=False):
            return False
        sent = 0
        try:
            sent = sock._sock.send(frame)  # type: ignore[attr-defined]
        except OSError:  # full, or broken: the usual way waits, or learns it
            pass
        if 0 < sent < len(frame):
            gevent.spawn(self._finish, frame[sent:])
            return True
        self._writing.release()
        return bool(sent)

    def ping(self, payload: bytes = b"") -> None:
        self._send_frame(PING, payload[:CONTROL_PAYLOAD_BYTES])

    def close(self, code: int | None = NORMAL, message: str | bytes = b"") -> None:
        """Send a close frame if none was sent; the peer has ``CLOSE_WAIT_S`` to answer it. May be called from any greenlet."""
        if self._is_accepted and not self.closed:
            self._send_close(code, message)
            gevent.spawn_later(CLOSE_WAIT_S, self._stop_reading)

    def _ensure_accepted(self) -> None:
        if not self._is_accepted:
            self._is_accepted = True
            self._accept()
            self._sock.settimeout(self._silence_s)

    def _next_message(self) -> str | bytes | None:
        while True:
            header = self._read_header()
            if header.opcode in CONTROL_OPCODES:
                if self._handle_control(header):
                    return None
                continue
            self._message.expect(header)
            for piece in self._payload(header):
                self._message.add(piece)
            if header.is_final:
                return self._message.finish()

    def _read_header(self) -> Header:
        self._take_turns()
        first, second = self._take(2)
        is_final, opcode, short = bool(first & 0x80), first & 0x0F, second & 0x7F
        if first & 0x70 or not second & 0x80 or opcode not in OPCODES:
            raise Violation(PROTOCOL_ERROR)
        if opcode in CONTROL_OPCODES and (short > CONTROL_PAYLOAD_BYTES or not is_final):
            raise Violation(PROTOCOL_ERROR)
        return Header(is_final, opcode, self._read_length(short), self._take(4))

    def _take_turns(self) -> None:
        self._since_turn += 1
        if self._since_turn >= FRAMES_PER_TURN:
            self._since_turn = 0
            gevent.sleep(0)

    def _read_length(self, short: int) -> int:
        if short < 126:
            return short
        length, least = (struct.unpack("!H", self._take(2))[0], 126) if short == 126 else (struct.unpack("!Q", self._take(8))[0], 1 << 16)
        if not least <= length < 1 << 63:
            raise Violation(PROTOCOL_ERROR)
        return int(length)

    def _payload(self, header: Header) -> Iterator[bytes]:
        done = 0
        while done < header.length:
            if not self._buffer:
                self._fill()
            piece = self._take(min(len(self._buffer), header.length - done))
            yield unmask(piece, header.mask, done)
            done += len(piece)

    def _handle_control(self, header: Header) -> bool:
        """Act on a control frame; whether it was the peer's last."""
        payload = b"".join(self._payload(header))
        if header.opcode == PING and not self.closed:
            self._send_frame(PONG, payload)
        if header.opcode != CLOSE:
            return False
        self.close_code = parse_close(payload)
        self._send_close(self.close_code, payload[2:])
        self._has_ended = True
        return True

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._fill()
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _fill(self) -> None:
        data = self._sock.recv(RECEIVE_BYTES)
        if not data:
            raise WebSocketClosed("end of stream")
        self._buffer += data
        if len(data) == RECEIVE_BYTES:
            gevent.sleep(0)

    def _send_close(self, code: int | None, reason: str | bytes = b"") -> None:
        text = reason if isinstance(reason, str) else bytes(reason).decode(errors="replace")
        tail = text.encode()[: CONTROL_PAYLOAD_BYTES - 2].decode(errors="ignore").encode()
        if not self.closed:
            try:
                self._send_frame(CLOSE, b"" if code is None else struct.pack("!H", code) + tail)
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
            self._sock.sendall(encode_header(opcode, len(payload)) + payload)
            is_whole = True
        finally:  # what stops in mid-frame, a timeout of the caller's own included, leaves a stream that nobody can read on
            self._has_sent_close = opcode == CLOSE
            if not is_whole:
                self._has_ended = True
                self._stop_reading()

    def _finish(self, rest: bytes) -> None:
        """The end of a frame that ``send_now`` began, and whose turn to write it took."""
        try:
            with gevent.Timeout(self._write_timeout_s, TimeoutError("slow reader")):
                self._sock.sendall(rest)
        except OSError:
            self._has_ended = True
            self._stop_reading()
        finally:
            self._writing.release()

    def _stop_reading(self) -> None:
        try:
            self._sock.shutdown(socket.SHUT_RD)
        except OSError:
            pass


def text_frame(message: str) -> bytes:
    payload = message.encode()
    return encode_header(TEXT, len(payload)) + payload


def unmask(data: bytes, mask: bytes, offset: int = 0) -> bytes:
    """XOR ``data``, which begins at ``offset`` of its frame, with the frame's mask: one operation on two big integers."""
    turn = offset % 4
    key = ((mask[turn:] + mask[:turn]) * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "little") ^ int.from_bytes(key, "little")).to_bytes(len(data), "little")


def encode_header(opcode: int, length: int) -> bytes:
    first = 0x80 | opcode
    if length < 126:
        return bytes((first, length))
    if length < 1 << 16:
        return struct.pack("!BBH", first, 126, length)
    return struct.pack("!BBQ", first, 127, length)


def parse_close(payload: bytes) -> int | None:
    """The code of a close frame, ``None`` for an empty one (RFC 6455 §5.5.1, §7.4)."""
    if not payload:
        return None
    code = int.from_bytes(payload[:2], "big")
    if len(payload) < 2 or not (1000 <= code <= 1003 or 1007 <= code <= 1011 or 3000 <= code <= 4999):
        raise Violation(PROTOCOL_ERROR)
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        raise Violation(NOT_UTF8) from None
    return code
