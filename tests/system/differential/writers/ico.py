"""ICO files: several pictures of one icon, as bitmaps with a mask or as PNG."""

from __future__ import annotations

import struct

import numpy

from tests.system.differential.writers.bmp import packed_indices
from tests.system.differential.writers.png import SIGNATURE, Form, chunk, header, pixels
from tests.system.differential.writers.sample import Bytes, Chance, Sample

INFO_BYTES = 40


def ico(seed: str) -> Sample:
    """Sizes differ, so that every reader takes the same picture for the largest."""
    chance = Chance(seed)
    sides = sorted({chance.number(1, 64) for _ in range(chance.one_of(1, 1, 2, 3, 5))} | ({256} if chance.gets("side-256", 0.05) else set()))
    if chance.happens(0.5):
        sides.reverse()
    entries, bodies, start = b"", b"", 6 + 16 * len(sides)
    for side in sides:
        bits = chance.one_of(1, 4, 8, 16, 24, 32, 32)
        body = _png(chance, side) if side == 256 or chance.gets("png-inside", 0.25) else _bitmap(chance, side, bits)
        reserved = chance.number(1, 255) if chance.gets("reserved-not-zero", 0.06) else 0
        planes, stated_bits = chance.one_of(0, 1), chance.one_of(bits, bits, 0)
        entries += struct.pack("<BBBBHHII", side % 256, side % 256, 0, reserved, planes, stated_bits, len(body), start + len(bodies))
        bodies += body
    return chance.sample(struct.pack("<HHH", 0, 1, len(sides)) + entries + bodies)


def _png(chance: Chance, side: int) -> bytes:
    form = Form(chance.one_of(6, 6, 2), 8, is_interlaced=False)
    picture = chance.picture(side, side, 4 if form.colour == 6 else 3)
    return SIGNATURE + header(side, side, form) + chunk(b"IDAT", pixels(chance, picture, form)) + chunk(b"IEND", b"")


def _bitmap(chance: Chance, side: int, bits: int) -> bytes:
    """The height counts colours and mask."""
    chance.note(f"bits-{bits}")
    head = struct.pack("<IiiHHIIiiII", INFO_BYTES, side, 2 * side, 1, bits, 0, 0, 0, 0, 0, 0)
    palette = b"".join(chance.bytes(3) + b"\0" for _ in range(1 << bits)) if bits <= 8 else b""
    mask = chance.picture(side, side, 1, 2)[..., 0] if chance.gets("mask", 0.6) else numpy.zeros((side, side), numpy.uint8)
    return head + palette + _bottom_up(_colours(chance, side, bits)) + _bottom_up(packed_indices(mask, 1))


def _colours(chance: Chance, side: int, bits: int) -> list[bytes]:
    if bits <= 8:
        return packed_indices(chance.picture(side, side, 1, 1 << bits)[..., 0], bits)
    found: Bytes = chance.picture(side, side, bits // 8)
    if bits == 32:
        if chance.gets("alpha-all-zero", 0.25):
            found[..., 3] = 0
        elif chance.gets("alpha-all-opaque", 0.3):
            found[..., 3] = 255
    return [row.tobytes() for row in found]


def _bottom_up(rows: list[bytes]) -> bytes:
    return b"".join(row + bytes(-len(row) % 4) for row in reversed(rows))
