"""JPEGs for tests, taken apart and put together again byte by byte."""

from __future__ import annotations

import struct

SOI, EOI = b"\xff\xd8", b"\xff\xd9"


def segment(marker: int, contents: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(contents) + 2) + contents


def with_segments(source: bytes, *added: bytes) -> bytes:
    """Right after the start of the image."""
    return source[:2] + b"".join(added) + source[2:]


def app(source: bytes, number: int, contents: bytes) -> bytes:
    return with_segments(source, segment(0xE0 + number, contents))


def frame_at(source: bytes) -> int:
    """Where the contents of the frame header begin."""
    return min(source.index(bytes((0xFF, marker))) for marker in (0xC0, 0xC1, 0xC2) if bytes((0xFF, marker)) in source) + 4


def data_at(source: bytes) -> int:
    """Where the data of the first scan begins."""
    at = source.index(b"\xff\xda") + 2
    return at + struct.unpack_from(">H", source, at)[0]


def with_frame(source: bytes, *, marker: int = 0xC0, precision: int = 8, height: int | None = None, components: int = 3) -> bytes:
    """The same data under another frame header."""
    at, changed = frame_at(source), bytearray(source)
    old_length = struct.unpack_from(">H", source, at - 2)[0]
    own = source[at + 6 : at + old_length - 2]
    table = b"".join(bytes((number + 1,)) + own[3 * (number % (len(own) // 3)) + 1 :][:2] for number in range(components))
    sides = source[at + 1 : at + 5] if height is None else struct.pack(">H", height) + source[at + 3 : at + 5]
    changed[at - 4 : at + old_length - 2] = segment(marker, bytes((precision,)) + sides + bytes((components,)) + table)
    return bytes(changed)


def restarts(source: bytes) -> list[int]:
    """Where the restart markers stand."""
    begin = data_at(source)
    return [at for at in range(begin, len(source) - 1) if source[at] == 0xFF and 0xD0 <= source[at + 1] <= 0xD7]


def padded_at_restarts(source: bytes, padding: bytes) -> bytes:
    for at in reversed(restarts(source)):
        source = source[:at] + padding + source[at:]
    return source
