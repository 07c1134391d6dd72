"""Takes a peer's frames out of the bytes that came. It reads no socket, so whoever has bytes feeds them, a greenlet or a callback of the loop.

A frame is refused by its header, before any of its payload is there. Between two frames it holds nothing.
"""

from __future__ import annotations

from backend.server.connection_limits import ConnectionLimits
from backend.server.websocket.frame_budget import FrameBudget
from backend.server.websocket.frames import (
    CONTINUATION,
    CONTROL_OPCODES,
    CONTROL_PAYLOAD_BYTES,
    OPCODES,
    PROTOCOL_ERROR,
    TEXT,
    Frame,
    Header,
    Violation,
    unmask,
)
from backend.server.websocket.message import Message

LENGTH_BYTES = {126: 2, 127: 8}
LEAST_LENGTH = {126: 126, 127: 1 << 16}


class FrameParser:
    """``feed`` what came, then ask ``next`` until it has nothing more."""

    __slots__ = ("_at", "_budget", "_buffer", "_done_bytes", "_header", "_message", "_message_bytes")

    def __init__(self, limits: ConnectionLimits, pending: bytes = b"") -> None:
        self._budget = FrameBudget(limits)
        self._message_bytes = limits.websocket_message_bytes
        self._buffer, self._at = pending, 0
        self._header: Header | None = None
        self._done_bytes = 0
        self._message: Message | None = None

    def feed(self, data: bytes) -> None:
        self._buffer, self._at = self._buffer[self._at :] + data, 0

    def next(self) -> Frame | None:
        """A control frame, or a whole message as ``TEXT`` or ``BINARY``; ``CONTINUATION`` is a fragment that ends none. None: more has to come.

        Raises ``Violation``.
        """
        header = self._header or self._begin()
        if header is None:
            return None
        piece = self._buffer[self._at : self._at + header.length - self._done_bytes]
        self._take(len(piece))
        assert self._message is not None or header.opcode in CONTROL_OPCODES
        if header.opcode in CONTROL_OPCODES:
            if len(piece) < header.length:
                self._buffer = piece  # at most 125 bytes: they wait for the rest
                return None
            self._header = None
            return header.opcode, unmask(piece, header.mask)
        return self._add(header, piece)

    def _add(self, header: Header, piece: bytes) -> Frame | None:
        message = self._message
        assert message is not None
        message.add(unmask(piece, header.mask, self._done_bytes))
        self._done_bytes += len(piece)
        if self._done_bytes < header.length:
            return None
        self._header, self._done_bytes = None, 0
        if not header.is_final:
            return CONTINUATION, b""
        self._message = None
        return message.opcode, message.finish()

    def _begin(self) -> Header | None:
        """The header of the next frame, if the whole of it is there."""
        header = self._parse_header()
        if header is None:
            return None
        self._budget.spend(header)
        if header.opcode not in CONTROL_OPCODES:
            if (header.opcode == CONTINUATION) == (self._message is None):
                raise Violation(PROTOCOL_ERROR)
            self._message = self._message or Message(header.opcode == TEXT, self._message_bytes)
            self._message.begin_fragment(header)
        self._header = header
        return header

    def _parse_header(self) -> Header | None:
        buffer, at = self._buffer, self._at
        have = len(buffer) - at
        if have < 2:
            return None
        first, second = buffer[at], buffer[at + 1]
        is_final, opcode, short = bool(first & 0x80), first & 0x0F, second & 0x7F
        if first & 0x70 or not second & 0x80 or opcode not in OPCODES:
            raise Violation(PROTOCOL_ERROR)
        if opcode in CONTROL_OPCODES and (short > CONTROL_PAYLOAD_BYTES or not is_final):
            raise Violation(PROTOCOL_ERROR)
        end = at + 2 + LENGTH_BYTES.get(short, 0)
        if have < end + 4 - at:
            return None
        length = short if short < 126 else int.from_bytes(buffer[at + 2 : end], "big")
        if not LEAST_LENGTH.get(short, 0) <= length < 1 << 63:
            raise Violation(PROTOCOL_ERROR)
        self._take(end + 4 - at)
        return Header(is_final, opcode, length, buffer[end : end + 4])

    def _take(self, count: int) -> None:
        self._at += count
        if self._at == len(self._buffer):
            self._buffer, self._at = b"", 0
