"""WebP: RFC 9649 §2.3–2.7; RFC 6386 §9.1 (VP8 frame header); WebP lossless §3 (VP8L header)."""

from __future__ import annotations

from backend import errors
from backend.core.image_headers.reader import HeaderReader, Sides
from backend.core.limits import Limits


def read_webp(file: HeaderReader, limits: Limits) -> Sides:
    kind = file.take(12, 4)
    if kind == b"VP8 " and file.take(23, 3) == b"\x9d\x01\x2a":
        return file.number(26, 2, "little") & 0x3FFF, file.number(28, 2, "little") & 0x3FFF, 1
    if kind == b"VP8L" and file.take(20, 1) == b"\x2f":
        bits = file.number(21, 4, "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, 1
    if kind == b"VP8X":
        width, height = file.number(24, 3, "little") + 1, file.number(27, 3, "little") + 1
        return width, height, _frame_count(file, limits) if file.number(20, 1) & 2 else 1
    raise errors.DamagedImage(private=f"WebP: first chunk {kind!r}")


def _frame_count(file: HeaderReader, limits: Limits) -> int:
    frames, at = 0, 30
    while at + 8 <= file.size_bytes and frames <= limits.frames:
        file.step()
        frames += file.take(at, 4) == b"ANMF"
        length = file.number(at + 4, 4, "little")
        at += 8 + length + length % 2
    return max(1, frames)


def webp_file_bytes(file: HeaderReader) -> int:
    """RFC 9649 §2.4: the RIFF header counts what follows its first eight bytes."""
    return file.number(4, 4, "little") + 8
