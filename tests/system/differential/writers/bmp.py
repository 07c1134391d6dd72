"""BMP files (BITMAPINFOHEADER and its relatives, [MS-WMF] 2.2.2): every depth, RLE, bit fields, top-down, V4 and V5."""

from __future__ import annotations

import struct

import numpy

from tests.system.differential.writers.sample import Bytes, Chance, Sample

CORE, INFO, V3, OS2, V4, V5 = 12, 40, 56, 64, 108, 124
RGB, RLE8, RLE4, BITFIELDS = 0, 1, 2, 3
FIELDS = {
    16: ((0xF800, 0x07E0, 0x001F, 0), (0x7C00, 0x03E0, 0x001F, 0), (0x0F00, 0x00F0, 0x000F, 0xF000), (0x7C00, 0x03E0, 0x001F, 0x8000)),
    32: ((0xFF0000, 0xFF00, 0xFF, 0), (0xFF0000, 0xFF00, 0xFF, 0xFF000000), (0xFF, 0xFF00, 0xFF0000, 0xFF000000), (0xFF000000, 0xFF0000, 0xFF00, 0)),
}
SRGB = 0x73524742


def bmp(seed: str) -> Sample:
    chance = Chance(seed)
    width, height, bits = chance.number(1, 40), chance.number(1, 40), chance.one_of(1, 4, 8, 16, 24, 32)
    size = chance.one_of(CORE, INFO, INFO, OS2, V4, V5) if bits not in (16, 32) else chance.one_of(INFO, INFO, V3, V4, V5)
    is_rle = bits in (4, 8) and size != CORE and chance.gets("rle", 0.4)
    has_fields = bits in FIELDS and chance.gets("bitfields", 0.6)
    is_top_down = size != CORE and not is_rle and chance.gets("top-down", 0.25)
    for trait in (f"bits-{bits}", f"header-{size}"):
        chance.note(trait)
    fields = chance.one_of(*FIELDS[bits]) if has_fields else (0, 0, 0, 0)
    if fields[3]:
        chance.note("alpha-mask")
    indices = chance.picture(width, height, 1, 1 << bits)[..., 0] if bits <= 8 else None
    body = _rle(chance, indices, bits) if is_rle and indices is not None else _rows(chance, width, height, bits, indices, is_top_down)
    if len(body) < 12:
        chance.note("tiny")
    kind = (RLE8 if bits == 8 else RLE4) if is_rle else BITFIELDS if has_fields else RGB
    return chance.sample(chance.damaged(_file(chance, size, (width, -height if is_top_down else height), bits, kind, fields, body), 0.02))


def _file(chance: Chance, size: int, sides: tuple[int, int], bits: int, kind: int, fields: tuple[int, ...], body: bytes) -> bytes:
    used = 1 << bits if bits <= 8 else 0
    if size == CORE:
        head = struct.pack("<IHHHH", size, *sides, 1, bits)
        colours = chance.bytes(3 * used)
    else:
        stated = chance.one_of(0, used)
        head = struct.pack("<IiiHHIIiiII", size, *sides, 1, bits, kind, chance.one_of(0, len(body)), 2835, 2835, stated, 0)
        colours = b"".join(chance.bytes(3) + b"\0" for _ in range(used))
        if size in (V3, V4, V5):
            head += struct.pack("<4I", *fields)
        if size >= V4:
            head += struct.pack("<I", SRGB) + bytes(48)
        head += bytes(size - len(head))
        if size == INFO and kind == BITFIELDS:
            head += struct.pack("<3I", *fields[:3])
    gap = chance.bytes(chance.number(1, 9)) if chance.gets("gap-before-pixels", 0.1) else b""
    start = 14 + len(head) + len(colours) + len(gap)
    return struct.pack("<2sIHHI", b"BM", start + len(body), 0, 0, start) + head + colours + gap + body


def _rows(chance: Chance, width: int, height: int, bits: int, indices: Bytes | None, is_top_down: bool) -> bytes:
    rows = packed_indices(indices, bits) if indices is not None else _true_colour(chance, width, height, bits)
    padded = [row + bytes(-len(row) % 4) for row in rows]
    return b"".join(padded if is_top_down else padded[::-1])


def packed_indices(indices: Bytes, bits: int) -> list[bytes]:
    planes = numpy.unpackbits(indices[..., None], axis=2)[..., 8 - bits :].reshape(indices.shape[0], -1)
    return [row.tobytes() for row in numpy.packbits(planes, axis=1)]


def _true_colour(chance: Chance, width: int, height: int, bits: int) -> list[bytes]:
    pixels = chance.picture(width, height, bits // 8)
    if bits == 32 and chance.gets("fourth-byte-zero", 0.4):
        pixels[..., 3] = 0
    return [row.tobytes() for row in pixels]


def _rle(chance: Chance, indices: Bytes, bits: int) -> bytes:
    """Runs, absolute parts and, sometimes, jumps over pixels that nothing sets."""
    out = bytearray()
    for row in indices[::-1]:
        at = 0
        while at < len(row):
            if chance.gets("rle-delta", 0.02) and at + 2 < len(row):
                out += bytes((0, 2, 1, 0))
                at += 1
                continue
            at += _run(out, row[at:], bits) if chance.happens(0.6) or len(row) - at < 3 else _absolute(out, row[at : at + chance.number(3, 40)], bits)
        out += b"\0\0"
    return bytes(out + b"\0\1")


def _run(out: bytearray, values: Bytes, bits: int) -> int:
    count = 1
    while count < min(255, len(values)) and values[count] == values[0]:
        count += 1
    out += bytes((count, int(values[0]) * (17 if bits == 4 else 1)))
    return count


def _absolute(out: bytearray, values: Bytes, bits: int) -> int:
    data = values.tobytes() if bits == 8 else packed_indices(values[None, :], 4)[0]
    out += bytes((0, len(values))) + data + bytes(len(data) % 2)
    return len(values)
