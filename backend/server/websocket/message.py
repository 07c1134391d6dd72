"""A message that is put together from the fragments of a peer."""

from __future__ import annotations

import codecs

from backend.server.websocket.frames import BINARY, NOT_UTF8, TEXT, TOO_BIG, Header, Violation


class Message:
    """UTF-8 is checked as it comes in, so that a wrong byte ends a message early."""

    __slots__ = ("_bytes", "_decoder", "_limit_bytes", "_size_bytes", "_texts", "opcode")

    def __init__(self, is_text: bool, limit_bytes: int) -> None:
        self.opcode = TEXT if is_text else BINARY
        self._limit_bytes = limit_bytes
        self._size_bytes = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")() if is_text else None
        self._texts: list[str] = []
        self._bytes = bytearray()

    def begin_fragment(self, header: Header) -> None:
        """Raises ``Violation`` where the message would be too big."""
        self._size_bytes += header.length
        if self._size_bytes > self._limit_bytes:
            raise Violation(TOO_BIG)

    def add(self, piece: bytes) -> None:
        """Raises ``Violation``."""
        if self._decoder is None:
            self._bytes += piece
        else:
            self._texts.append(self._decode(self._decoder, piece))

    def finish(self) -> str | bytes:
        """Raises ``Violation``."""
        if self._decoder is None:
            return bytes(self._bytes)
        self._texts.append(self._decode(self._decoder, b"", final=True))
        return "".join(self._texts)

    @staticmethod
    def _decode(decoder: codecs.IncrementalDecoder, piece: bytes, final: bool = False) -> str:
        try:
            return decoder.decode(piece, final)
        except UnicodeDecodeError:
            raise Violation(NOT_UTF8) from None
