"""Small writers of animated files, from the specifications: every field is the caller's, right or wrong."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from backend.codec.image.raw_frame import Blend, Dispose

Pixels = NDArray[numpy.uint8]
_DISPOSALS: dict[Dispose, int] = {"none": 0, "background": 1, "previous": 2}


@dataclass(frozen=True)
class Drawn:
    """One frame as a file stores it: height × width × RGBA."""

    pixels: Pixels
    left: int = 0
    top: int = 0
    ms: int = 100
    dispose: Dispose = "none"
    blend: Blend = "source"


def apng(frames: Sequence[Drawn], width: int, height: int, plays: int = 0) -> bytes:
    """PNG (third edition) §11.3.6. The first frame is the default image too, and so must fill the canvas."""
    parts = [b"\x89PNG\r\n\x1a\n", _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))]
    parts.append(_chunk(b"acTL", struct.pack(">II", len(frames), plays)))
    sequence = 0
    for number, each in enumerate(frames):
        rows, columns = each.pixels.shape[:2]
        place = struct.pack(">IIIII", sequence, columns, rows, each.left, each.top)
        parts.append(_chunk(b"fcTL", place + struct.pack(">HHBB", each.ms, 1000, _DISPOSALS[each.dispose], each.blend == "over")))
        data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in each.pixels))
        parts.append(_chunk(b"fdAT", struct.pack(">I", sequence + 1) + data) if number else _chunk(b"IDAT", data))
        sequence += 2 if number else 1
    return b"".join((*parts, _chunk(b"IEND", b"")))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
