"""Which words of libjpeg mean that a picture is damaged, and which do not. It has few codes that last from version to version, so its words count.

Honest files have bytes after a scan, too: cameras pad to whole words, or hide something there, and webcams leave a few bytes at restart markers.
A scan that lost its way leaves data too. It stopped amid a byte, where padding should be; or what it left goes on as data, and ends with the file's;
and where it was overwritten with zeros, it has taken some of these for data.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from backend import errors
from backend.codec.native.jpeg_bits import Bits

ReadAt = Callable[[int, int], bytes]
GoesOn = Callable[[int], bool]

MAX_WARNINGS = 10_000
"""Harmless ones; none is looked at after these. A picture of the largest sides has fewer rows of blocks."""
STRAY_BYTES = 16
"""After an interval, beside padding, where more cannot be known. Webcams were seen to leave up to 10 at a restart marker."""
BUFFERED_BYTES = 7
"""What libjpeg has read and not used, at most."""
ZEROS_IN_DATA = 9
"""How many bytes of padding may be a healthy scan's own: its last codes, and 0xFF 0x00."""
CHUNK_BYTES = 64 << 10
PADDING = b"\0\xff"
PREMATURE_END = "Corrupt JPEG data: premature end"
_LEFT_OVER = re.compile(r"(\d+) extraneous bytes before marker")
_DAMAGE = re.compile(r"Corrupt JPEG data: (?!bad ICC)|Inconsistent progression")
_MARKER = re.compile(rb"\xff+[^\x00\xff]", re.DOTALL)
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_UNSUPPORTED = {
    "Sorry, arithmetic coding": "arithmetic-coded JPEG",
    "Unsupported JPEG process": "JPEG of another process",
    "Unsupported JPEG data precision": "JPEG of another precision",
    "Unsupported color conversion": "JPEG of another colour space",
}


def fatal_error(said: str) -> errors.GatewayError:
    """What ``said`` by libjpeg as it gave up is in the contract."""
    if said.startswith("Insufficient memory"):
        return errors.TooManyPixels("memory", private=said)
    variant = next((name for begin, name in _UNSUPPORTED.items() if said.startswith(begin)), None)
    return errors.DamagedImage(private=said) if variant is None else errors.UnsupportedFormat("variant", format=variant, base="JPEG", private=said)


class Judge:
    """Of one file's warnings. Offsets are the file's."""

    def __init__(self, read_at: ReadAt) -> None:
        self._read_at = read_at
        self._judged_to = 0
        self._warnings = 0

    def damage_in(self, said: str, offset: int) -> str | None:
        """The warning ``said`` if it tells of damage. ``offset`` is where the decoder stands: before the next marker, if it has passed over bytes."""
        self._warnings += 1
        left_over = _LEFT_OVER.search(said)
        if left_over is None:
            return said if _DAMAGE.match(said) else None
        left_bytes = int(left_over[1]) - self._bytes_counted_before(offset)
        return said if _is_data(self._read_at, offset, left_bytes) else None

    @property
    def is_patient(self) -> bool:
        """Whether to show it further warnings."""
        return self._warnings < MAX_WARNINGS

    def damage_after_scan(self, offset: int, unused: Bits | None, goes_on: GoesOn | None) -> str | None:
        """What is wrong with the data after a picture's only scan. ``offset`` is after the last byte that was read, ``unused`` what is left of it.

        ``goes_on`` tells whether the scan can be decoded further, up to an offset, and ends there. Each is ``None`` where it cannot be known: then
        few bytes are taken for stray, and with restart markers all that come after padding, since no more than the last interval can be lost.
        """
        is_at_marker = _MARKER.fullmatch(self._read_at(max(0, offset - 2), 2))
        end = offset - 2 if is_at_marker else _next_marker(self._read_at, offset)
        left_bytes = max(0, end - offset) + (unused.whole_bytes if unused else 0)
        padding_bytes, taken_bytes = _padding(self._read_at, end, left_bytes, 0 if unused else BUFFERED_BYTES)
        stray_bytes = left_bytes - padding_bytes
        if stray_bytes <= 0:
            has_lost_its_way = left_bytes > 0 and padding_bytes > taken_bytes
        elif unused is None:
            has_lost_its_way = stray_bytes > STRAY_BYTES
        else:
            has_lost_its_way = not unused.is_padded or (goes_on is not None and goes_on(end))
        return f"{left_bytes} bytes of data are left" if has_lost_its_way else None

    def _bytes_counted_before(self, offset: int) -> int:
        """libjpeg adds what it had buffered before earlier restart markers to the count. Here, as far as that was padding."""
        begin, self._judged_to = self._judged_to, offset
        counted_bytes = 0
        for at in range(begin, offset, CHUNK_BYTES):
            chunk = self._read_at(at, min(CHUNK_BYTES, offset - at))
            before = (chunk[max(0, each.start() - BUFFERED_BYTES) : each.start()] for each in _RESTART.finditer(chunk))
            counted_bytes += sum(len(each) - len(each.rstrip(b"\0")) for each in before)
        return counted_bytes


def _next_marker(read_at: ReadAt, offset: int) -> int:
    """Where it begins, or the file ends."""
    while chunk := read_at(offset, CHUNK_BYTES):
        found = _MARKER.search(chunk)
        if found:
            return offset + found.start()
        offset += max(1, len(chunk) - chunk.endswith(b"\xff")) if len(chunk) == CHUNK_BYTES else len(chunk)
    return offset


def _is_data(read_at: ReadAt, end: int, left_bytes: int) -> bool:
    """Whether the ``left_bytes`` before ``end`` are the rest of an interval that lost its way."""
    padding_bytes, taken_bytes = _padding(read_at, end, max(0, left_bytes), BUFFERED_BYTES)
    return padding_bytes > taken_bytes or left_bytes - padding_bytes > STRAY_BYTES


def _padding(read_at: ReadAt, end: int, left_bytes: int, buffered_bytes: int) -> tuple[int, int]:
    """How many bytes before ``end`` are padding, and how many may be: with more, the scan has taken padding for data."""
    most = left_bytes + buffered_bytes + ZEROS_IN_DATA
    return _padding_bytes(read_at, end, most + 1), most


def _padding_bytes(read_at: ReadAt, end: int, most: int) -> int:
    """How many bytes before ``end``, at most ``most``, are padding: zeros and 0xFF, or one value over and over."""
    last = read_at(max(0, end - 1), 1)
    values = PADDING if last in (b"\0", b"\xff") else last
    count = 0
    while count < most:
        length = min(CHUNK_BYTES, most - count, end - count)
        chunk = read_at(end - count - length, length)
        run = length - len(chunk.rstrip(values))
        count += run
        if run < length or not length:
            break
    return count
