"""PNG, third edition: §5.3 (chunks), §11.2.1 (IHDR), §11.3.6.1 (acTL, which stands before the first IDAT)."""

from __future__ import annotations

from backend import errors
from backend.core.image_headers.reader import HeaderReader, Sides
from backend.core.limits import Limits


def read_png(file: HeaderReader, limits: Limits) -> Sides:
    if file.take(12, 4) != b"IHDR":
        raise errors.DamagedImage(private="PNG: does not begin with IHDR")
    width, height = file.number(16, 4), file.number(20, 4)
    limits.check_pixels(width, height)
    return width, height, _frame_count(file)


def _frame_count(file: HeaderReader) -> int:
    at = 8 + 12 + 13
    while at + 8 <= file.size_bytes:
        file.step()
        length, kind = file.number(at, 4), file.take(at + 4, 4)
        if kind == b"acTL":
            return max(1, file.number(at + 8, 4))
        if kind in (b"IDAT", b"IEND"):
            break
        at += 12 + length
    return 1
