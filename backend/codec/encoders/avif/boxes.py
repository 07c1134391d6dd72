"""How often an animation plays, and its times: in the boxes that libavif wrote, which Pillow gives no name for.

ISO/IEC 14496-12: §8.2.2 (mvhd), §8.3.2 (tkhd), §8.4.2 (mdhd), §8.6.6 (elst). An edit list that repeats plays its one segment for as long as the track
lasts. libavif writes each of these boxes in version 1, an endless track, and the moment at which it wrote.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

FULL_BOX_BYTES = TIMES_AT = 4
"""Version and flags; then version 1 has the moments of creation and of change, of 8 bytes each."""
CONTAINERS = (b"moov", b"trak", b"edts", b"mdia")
DURATION_AT = {b"mvhd": 24, b"tkhd": 28}
"""Where the contents of version 1 have the duration, of 8 bytes."""
TIMED = (b"mvhd", b"tkhd", b"mdhd")
ENDLESS, ONCE = (1 << 64) - 1, 1
REPEATS = b"\0\0\1"
SEGMENT_AT = 8
"""In an edit list of version 1: the duration of its first segment."""


def with_plays(data: bytes, plays: int) -> bytes:
    """The file ``data`` that plays so often, 0 for ever, and tells no moment of its making: so the same frames give the same bytes."""
    changed = bytearray(data)
    found = list(_boxes(changed, 0, len(changed)))
    segment = max((struct.unpack_from(">Q", changed, at + SEGMENT_AT)[0] for kind, at in found if kind == b"elst"), default=0)
    for kind, at in found:
        if kind in TIMED:
            struct.pack_into(">QQ", changed, at + TIMES_AT, 0, 0)
        if kind in DURATION_AT:
            struct.pack_into(">Q", changed, at + DURATION_AT[kind], plays * segment or ENDLESS)
        if kind == b"elst":
            changed[at + 1 : at + FULL_BOX_BYTES] = bytes(3) if plays == ONCE else REPEATS
    return bytes(changed)


def _boxes(data: bytearray, at: int, end: int) -> Iterator[tuple[bytes, int]]:
    """Kind and beginning of the contents of each box, those within ``CONTAINERS`` after theirs. libavif writes no 64-bit lengths."""
    while at + 8 <= end:
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, at + 8
        if kind in CONTAINERS:
            yield from _boxes(data, at + 8, at + length)
        at += max(8, length)
