"""An answer by HTTP/1, read from a wire: its head as browsers read it, and its body. Each loop over its bytes has a bound and asks the deadline.

Lines of a head that are no header fields are passed over, as browsers do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from backend.adapters.http.deadline import Deadline
from backend.adapters.http.failures import Broken
from backend.adapters.http.wire import RECEIVE_BYTES, Wire

HEAD_BYTES = 256 << 10
"""Of all heads together, interim ones and trailers included. Chromium takes as much (``kMaxHeaderBufSize``)."""
MAX_INTERIM = 20
"""Answers like ``100 Continue`` and ``103 Early Hints`` before the answer. One or two are common."""
MAX_FIELDS = 100
FIELD_BYTES = 8 << 10
"""Longer fields are left out. None that is read here comes near, and some would take the loop's time."""
MAX_PASSED_OVER = 100
"""Lines of an answer that are no header fields."""
MAX_CHUNKS, MEAN_CHUNK_BYTES = 20_000, 64
"""So many chunks of any size, and beyond them one for each 64 bytes of the body. Servers send kilobytes in each."""
CHUNK_LINE_BYTES = 4 << 10
CHUNK_SIZE_BYTES, EXTENSION_BYTES = 16, 16 << 10
"""What a line takes beyond a size is an extension. So many bytes of all chunks together: as Go's client allows (net/http/internal/chunked.go)."""

STATUS = re.compile(rb"HTTP/(?:0\.9|1\.\d)[ \t]+([1-9]\d\d)(?:[ \t].*)?", re.DOTALL)
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:(.*)", re.DOTALL)
"""RFC 9110 §5.1. Spaces before the colon are left out, where servers write some."""
CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?", re.DOTALL)
LENGTH = re.compile(rb"\d{1,30}")
SWITCHING_PROTOCOLS = 101
WITHOUT_BODY = (101, 204, 304)


class Ended(Broken):
    """The answer ends within a line."""


@dataclass(frozen=True, slots=True)
class Head:
    """``fields`` by their names in small letters, in their order. Values are on one line each."""

    status: int
    fields: tuple[tuple[bytes, bytes], ...]

    def field(self, name: bytes) -> bytes:
        """The first of this name. Empty where there is none."""
        return next((value for key, value in self.fields if key == name), b"")

    def joined(self, name: bytes) -> bytes:
        return b",".join(value for key, value in self.fields if key == name)[:FIELD_BYTES]

    @property
    def is_chunked(self) -> bool:
        return b"chunked" in [each.strip(b" \t") for each in self.joined(b"transfer-encoding").lower().split(b",")]

    @property
    def body_bytes(self) -> int | None:
        """As stated. None where it is not, or in no way that can be read."""
        if self.status in WITHOUT_BODY:
            return 0
        length = self.field(b"content-length")
        return int(length) if LENGTH.fullmatch(length) and not self.is_chunked else None


class AnswerReader:
    """Methods raise ``Broken``, ``Late`` and ``OSError``."""

    def __init__(self, wire: Wire, deadline: Deadline) -> None:
        self._wire, self._deadline = wire, deadline
        self._buffer = bytearray()
        self._head_left_bytes, self._extensions_left_bytes = HEAD_BYTES, EXTENSION_BYTES

    def read_head(self) -> Head:
        """The first head that is no interim one."""
        for _ in range(MAX_INTERIM + 1):
            line = self._head_line()
            match = STATUS.fullmatch(line)
            if match is None:
                raise Broken(f"no status line: {line[:100]!r}")
            head = Head(int(match[1]), tuple(self._fields()))
            if head.status >= 200 or head.status == SWITCHING_PROTOCOLS:
                return head
        raise Broken(f"more than {MAX_INTERIM} interim answers")

    def _head_line(self) -> bytes:
        line = self._line(self._head_left_bytes)
        self._head_left_bytes -= len(line) + 1
        return line.rstrip(b"\r")

    def _fields(self) -> list[tuple[bytes, bytes]]:
        """A line that begins with a space continues the one before it, or is passed over with it."""
        fields: list[tuple[bytes, bytes]] = []
        lines, passed_over, is_kept = 0, 0, False
        while line := self._head_line():
            line = line.replace(b"\r", b" ")
            match, is_continued = FIELD.fullmatch(line), line[:1] in b" \t"
            if is_continued and is_kept:
                fields[-1] = (fields[-1][0], fields[-1][1] + b" " + line)
            elif match and not is_continued:
                fields.append((match[1].lower(), match[2]))
                is_kept = True
            else:
                passed_over, is_kept = passed_over + 1, False
            lines += 1
            if passed_over > MAX_PASSED_OVER or lines - passed_over > MAX_FIELDS:
                raise Broken(f"{lines} lines in a head")
        return [(name, value.strip(b" \t")) for name, value in fields if len(value) <= FIELD_BYTES]

    def read_body(self, head: Head) -> Iterator[bytes]:
        """In pieces of ``RECEIVE_BYTES`` at most. What comes after the body is not read."""
        size_bytes = head.body_bytes
        if size_bytes is not None:
            return self._exactly(size_bytes)
        return self._gathered(self._chunks()) if head.is_chunked else self._rest()

    def _exactly(self, size_bytes: int) -> Iterator[bytes]:
        while size_bytes:
            piece = self._take(size_bytes)
            if not piece:
                raise Broken(f"{size_bytes} bytes are missing")
            size_bytes -= len(piece)
            yield piece

    def _rest(self) -> Iterator[bytes]:
        while piece := self._take(RECEIVE_BYTES):
            yield piece

    def _chunks(self) -> Iterator[bytes]:
        count, body_bytes = 0, 0
        while size_bytes := self._chunk_bytes():
            count, body_bytes = count + 1, body_bytes + size_bytes
            if count > MAX_CHUNKS + body_bytes // MEAN_CHUNK_BYTES:
                raise Broken(f"{count} chunks")
            yield from self._exactly(size_bytes)
            if self._line(2).strip(b"\r"):
                raise Broken("a chunk is longer than stated")
        with suppress(Ended):  # some servers close without the empty line after the last chunk
            self._fields()

    def _chunk_bytes(self) -> int:
        line = self._line(CHUNK_LINE_BYTES).rstrip(b"\r")
        match = CHUNK_SIZE.fullmatch(line)
        self._extensions_left_bytes -= max(0, len(line) - CHUNK_SIZE_BYTES)
        if match is None or self._extensions_left_bytes < 0:
            raise Broken(f"no size of a chunk: {line[:100]!r}")
        return int(match[1], 16)

    def _gathered(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Small pieces that were received together are handed on together."""
        gathered: list[bytes] = []
        for piece in pieces:
            gathered.append(piece)
            if not self._buffer:
                yield b"".join(gathered)
                gathered.clear()
        if gathered:
            yield b"".join(gathered)

    def _take(self, most_bytes: int) -> bytes:
        """What has come, at most so much; waits for it. Empty at the end."""
        if self._buffer:
            piece = bytes(self._buffer[:most_bytes])
            del self._buffer[:most_bytes]
            return piece
        received = self._wire.receive()
        self._buffer += received[most_bytes:]
        return received[:most_bytes]

    def _line(self, most_bytes: int) -> bytes:
        """Without its end. What was searched once is not searched again."""
        searched = 0
        self._deadline.check()
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > most_bytes:
                break
            received = self._wire.receive()
            if not received:
                raise Ended("a line without end")
            self._buffer += received
        if not 0 <= end <= most_bytes:
            raise Broken("a line that is too long")
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line
