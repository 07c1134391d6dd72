"""Reads a peer's frames from a socket. A frame is refused by its header, before any of its payload is read."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from backend.server.turns import turns
from backend.server.websocket.frames import CONTROL_OPCODES, CONTROL_PAYLOAD_BYTES, OPCODES, PROTOCOL_ERROR, Header, Violation, unmask

RECEIVE_BYTES = 16 * 1024


class FrameReader:
    """``pending`` was read from the socket before. Methods raise ``OSError`` when the socket has ended or its timeout is over."""

    def __init__(self, sock: Any, pending: bytes) -> None:
        self._sock = sock
        self._buffer = bytearray(pending)

    def read_header(self) -> Header:
        """Raises ``Violation``."""
        turns.give_turn()
        first, second = self._take(2)
        is_final, opcode, short = bool(first & 0x80), first & 0x0F, second & 0x7F
        if first & 0x70 or not second & 0x80 or opcode not in OPCODES:
            raise Violation(PROTOCOL_ERROR)
        if opcode in CONTROL_OPCODES and (short > CONTROL_PAYLOAD_BYTES or not is_final):
            raise Violation(PROTOCOL_ERROR)
        return Header(is_final, opcode, self._read_length(short), self._take(4))

    def payload(self, header: Header) -> Iterator[bytes]:
        """Unmasked, piece by piece as it comes in."""
        done = 0
        while done < header.length:
            if not self._buffer:
                self._fill()
            piece = self._take(min(len(self._buffer), header.length - done))
            yield unmask(piece, header.mask, done)
            done += len(piece)

    def _read_length(self, short: int) -> int:
        if short < 126:
            return short
        length, least = (struct.unpack("!H", self._take(2))[0], 126) if short == 126 else (struct.unpack("!Q", self._take(8))[0], 1 << 16)
        if not least <= length < 1 << 63:
            raise Violation(PROTOCOL_ERROR)
        return int(length)

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._fill()
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _fill(self) -> None:
        data = self._sock.recv(RECEIVE_BYTES)
        if not data:
            raise ConnectionError("end of stream")
        self._buffer += data
        turns.give_turn()
