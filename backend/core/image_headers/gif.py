"""GIF89a: §18 (screen), §20 (image), §23–26 (extensions). Data lies in sub-blocks of up to 255 bytes, ended by an empty one."""

from __future__ import annotations

import re
from functools import lru_cache

from backend import errors
from backend.core.image_headers.reader import HeaderReader, Sides
from backend.core.limits import Limits

GIF_WINDOW_BYTES = 256 << 10
"""At least. A GIF must be walked to its end, since nothing says how long a frame is; large files are read in larger windows."""
LONG_BLOCK = 64
"""Bytes. Runs of shorter blocks are not worth a pattern, and a hostile file has too many of them."""


def read_gif(file: HeaderReader, limits: Limits) -> Sides:
    width, height = file.number(6, 2, "little"), file.number(8, 2, "little")
    limits.check_pixels(width, height)
    file.window_bytes = max(GIF_WINDOW_BYTES, file.size_bytes // 256)
    return _walk(file, limits, width, height)


def _walk(file: HeaderReader, limits: Limits, width: int, height: int) -> Sides:
    """The walk stops at one frame more than allowed. A file that breaks off has the frames before.

    A first frame that reaches beyond the screen widens it, as in browsers.
    """
    frames, at = 0, 13 + _colour_table_bytes(file.number(10, 1))
    try:
        while frames <= limits.frames and width * height * frames <= limits.pixels:
            file.step()
            introducer = file.number(at, 1)
            if introducer == 0x21:
                at = _skip_blocks(file, at + 2)
            elif introducer == 0x2C:
                frames += 1
                if frames == 1:
                    left, top, across, down = (file.number(at + offset, 2, "little") for offset in (1, 3, 5, 7))
                    width, height = max(width, left + across), max(height, top + down)
                at = _skip_blocks(file, at + 11 + _colour_table_bytes(file.number(at + 9, 1)))
            else:
                break
    except errors.DamagedImage:
        if not frames:
            raise
    return width, height, max(1, frames)


def _colour_table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


@lru_cache(maxsize=256)
def _run_of(length: int) -> re.Pattern[bytes]:
    """Matches consecutive blocks of one length, which encoders write except at a frame's end, so that they are skipped in one step."""
    return re.compile(b"(?:" + re.escape(bytes([length])) + b".{%d})*" % length, re.DOTALL)


def _skip_blocks(file: HeaderReader, at: int) -> int:
    while True:
        file.step()
        length = file.number(at, 1)
        if length == 0:
            return at + 1
        at += (_run_bytes(file, at, length) if length >= LONG_BLOCK else 0) or 1 + length


def _run_bytes(file: HeaderReader, at: int, length: int) -> int:
    window, start = file.window(at)
    run = _run_of(length).match(window, start)
    return run.end() - start if run else 0
