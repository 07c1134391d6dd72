"""PNG, third edition: §5.3 (chunks), §11.2.1 (IHDR), §11.3.6.1 (acTL, which stands before the first IDAT).

A default image that is no frame does not count in acTL.
"""

from __future__ import annotations

from backend import errors
from backend.core.image_headers.reader import HeaderReader, Sides
from backend.core.limits import Limits

_FIRST_CHUNK_AT, _HEAD_BYTES, _SUM_BYTES = 8, 8, 4
_ACTL_BYTES, _MAX_NUMBER = 8, (1 << 31) - 1


def read_png(file: HeaderReader, limits: Limits) -> Sides:
    first = file.take(12, 4)
    if first == b"CgBI":
        raise errors.UnsupportedFormat("variant", format="CgBI (Xcode’s PNG for iOS)", base="PNG")
    if first != b"IHDR":
        raise errors.DamagedImage(private="PNG: does not begin with IHDR")
    width, height = file.number(16, 4), file.number(20, 4)
    limits.check_pixels(width, height)
    frames = _declared_frames(file)
    return width, height, frames if frames <= _allowed_frames(width, height, limits) else min(frames, _counted_frames(file))


def _declared_frames(file: HeaderReader) -> int:
    """What the first valid acTL says; 1 for a still picture."""
    at = _FIRST_CHUNK_AT
    while at + _HEAD_BYTES <= file.size_bytes:
        file.step()
        length, kind = file.number(at, 4), file.take(at + 4, 4)
        if kind == b"acTL" and length == _ACTL_BYTES:
            frames, plays = file.number(at + _HEAD_BYTES, 4), file.number(at + _HEAD_BYTES + 4, 4)
            if 0 < frames <= _MAX_NUMBER and plays <= _MAX_NUMBER:
                return frames
        if kind in (b"IDAT", b"IEND"):
            break
        at += _HEAD_BYTES + length + _SUM_BYTES
    return 1


def _allowed_frames(width: int, height: int, limits: Limits) -> int:
    return min(limits.frames, limits.pixels // max(1, width * height))


def _counted_frames(file: HeaderReader) -> int:
    """How many fcTL there are, for a file that says more than it may have: browsers show those that it has. As far as the walk may go."""
    at, frames = _FIRST_CHUNK_AT, 0
    try:
        while at + _HEAD_BYTES <= file.size_bytes:
            file.step()
            kind = file.take(at + 4, 4)
            if kind == b"IEND":
                return max(1, frames)
            frames += kind == b"fcTL"
            at += _HEAD_BYTES + file.number(at, 4) + _SUM_BYTES
    except errors.DamagedImage:
        pass
    return _MAX_NUMBER
