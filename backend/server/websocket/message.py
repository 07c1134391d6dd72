"""A message that is put together from the fragments of a peer."""

from __future__ import annotations

import codecs

from backend.server.websocket.frames import CONTINUATION, NOT_UTF8, PROTOCOL_ERROR, TEXT, TOO_BIG, Header, Violation


class Message:
    """``opcode`` is 0 between two messages. UTF-8 is checked as it comes in, so that a wrong byte ends a message early."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._clear()

    def _clear(self) -> None:
        self.opcode = CONTINUATION
        self._size_bytes = 0
        self._texts: list[str] = []
        self._bytes = bytearray()
        self._decoder.reset()

    def begin_fragment(self, header: Header) -> None:
        """Of a data frame. Raises ``Violation`` where none may come now, or where the message would be too big."""
        if (header.opcode == CONTINUATION) == (self.opcode == CONTINUATION):
            raise Violation(PROTOCOL_ERROR)
        self.opcode = self.opcode or header.opcode
        self._size_bytes += header.length
        if self._size_bytes > self._limit_bytes:
            raise Violation(TOO_BIG)

    def add(self, piece: bytes) -> None:
        """Raises ``Violation``."""
        if self.opcode == TEXT:
            self._texts.append(self._decode(piece))
        else:
            self._bytes += piece

    def finish(self) -> str | bytes:
        """Raises ``Violation``."""
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
