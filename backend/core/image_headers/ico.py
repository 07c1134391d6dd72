"""ICO: ICONDIR, then one ICONDIRENTRY of 16 bytes for each picture; 0 stands for 256. A picture may be a whole PNG, whose sides count then."""

from __future__ import annotations

from backend.core.image_headers.reader import HeaderReader, Sides
from backend.core.limits import Limits


def read_ico(file: HeaderReader, limits: Limits) -> Sides:
    entries = range(6, 6 + 16 * file.number(4, 2, "little"), 16)
    sides = [_icon_sides(file, at) for at in entries]
    return (*max(sides, key=lambda each: each[0] * each[1]), 1)


def _icon_sides(file: HeaderReader, entry: int) -> tuple[int, int]:
    file.step()
    at = file.number(entry + 12, 4, "little")
    if file.take(at, 16)[:8] == b"\x89PNG\r\n\x1a\n":
        return file.number(at + 16, 4), file.number(at + 20, 4)
    return file.number(entry, 1) or 256, file.number(entry + 1, 1) or 256
