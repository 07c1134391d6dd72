"""GIF files, part by part, from the specification: every field is the caller's, right or wrong."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from tests.support.chromium_pictures import Pixels


@dataclass(frozen=True)
class GifFrame:
    """One image of a GIF: height × width palette indexes. ``palette`` is its own one, of 2 to 256 colours; a power of two."""

    indexes: Pixels
    left: int = 0
    top: int = 0
    palette: Pixels | None = None
    interlaced: bool = False
    code_bits: int = 8

    def data(self) -> bytes:
        rows, columns = self.indexes.shape
        flags = (_palette_flags(self.palette) if self.palette is not None else 0) | 0x40 * self.interlaced
        order = [row for start, step in ((0, 8), (4, 8), (2, 4), (1, 2)) for row in range(start, rows, step)] if self.interlaced else range(rows)
        pixels = self.indexes[list(order)].tobytes()
        head = b"\x2c" + struct.pack("<HHHHB", self.left, self.top, columns, rows, flags)
        return head + _palette_bytes(self.palette) + bytes([self.code_bits]) + blocks(lzw(pixels, self.code_bits))


def gif(parts: Sequence[bytes], width: int, height: int, palette: Pixels | None = None, background: int = 0, version: bytes = b"89a") -> bytes:
    """GIF89a §17–27: ``parts`` are blocks, written in their order."""
    flags = 0x70 | (_palette_flags(palette) if palette is not None else 0)
    screen = struct.pack("<HHBBB", width, height, flags, background, 0)
    return b"GIF" + version + screen + _palette_bytes(palette) + b"".join(parts) + b";"


def control(ms: int = 100, dispose: int = 0, transparent: int | None = None) -> bytes:
    """A graphic control extension (§23), for the image that follows."""
    return struct.pack("<3sBHBB", b"\x21\xf9\x04", dispose << 2 | (transparent is not None), ms // 10, transparent or 0, 0)


def loop(repetitions: int, name: bytes = b"NETSCAPE2.0") -> bytes:
    return b"\x21\xff\x0b" + name + b"\x03\x01" + struct.pack("<HB", repetitions, 0)


def blocks(data: bytes) -> bytes:
    """In sub-blocks of 255 bytes (§15), and the empty one that ends them."""
    cut = [data[at : at + 255] for at in range(0, len(data), 255)]
    return b"".join(bytes([len(each)]) + each for each in cut) + b"\0"


def lzw(pixels: bytes, code_bits: int = 8, ends: bool = True, clears: bool = True) -> bytes:
    """GIF89a appendix F. ``ends``: whether the end is said. ``clears``: whether the table is cleared once it is full."""
    clear = 1 << code_bits
    table, bits, codes = _fresh_table(code_bits)
    written = [(clear, bits)]
    known = b""
    for each in pixels:
        longer = known + bytes([each])
        if longer in table:
            known = longer
            continue
        written.append((table[known], bits))
        known = bytes([each])
        if codes < 4096:
            table[longer], codes = codes, codes + 1
            bits += codes > 1 << bits
        if codes == 4096 and clears:
            written.append((clear, bits))
            table, bits, codes = _fresh_table(code_bits)
    if known:
        written.append((table[known], bits))
        bits += codes == 1 << bits and bits < 12
    return packed([*written, (clear + 1, bits)] if ends else written)


def _fresh_table(code_bits: int) -> tuple[dict[bytes, int], int, int]:
    return {bytes([each]): each for each in range(min(256, 1 << code_bits))}, code_bits + 1, (1 << code_bits) + 2


def packed(codes: Sequence[tuple[int, int]]) -> bytes:
    """Codes with their bits, the lowest bits first."""
    out, held, filled = bytearray(), 0, 0
    for code, bits in codes:
        held, filled = held | code << filled, filled + bits
        while filled >= 8:
            out.append(held & 255)
            held, filled = held >> 8, filled - 8
    return bytes(out) + (bytes([held]) if filled else b"")


def _palette_flags(palette: Pixels) -> int:
    return 0x80 | (len(palette) - 1).bit_length() - 1


def _palette_bytes(palette: Pixels | None) -> bytes:
    return b"" if palette is None else palette.astype(numpy.uint8).tobytes()


def random_gif(seed: int) -> bytes:
    """Of everything that GIF89a allows, and frames that reach beyond the screen."""
    random = numpy.random.default_rng(seed)
    pick = lambda *choices: choices[random.integers(len(choices))]  # noqa: E731
    chance = lambda share: bool(random.random() < share)  # noqa: E731
    width, height = (int(random.integers(1, 25)) for _ in "wh")
    palette = None if chance(0.05) else _random_palette(random)
    parts = [loop(int(pick(0, 1, 5, 65535)), pick(b"NETSCAPE2.0", b"ANIMEXTS1.0"))] if chance(0.7) else []
    for _number in range(int(random.integers(1, 7))):
        if chance(0.85):
            parts.append(control(10 * int(pick(0, 1, 2, 7, 50)), int(random.integers(8)), int(random.integers(20)) if chance(0.6) else None))
        if chance(0.1):
            parts.append(b"\x21\xfe" + blocks(random.bytes(int(random.integers(1, 400)))))
        whole = chance(0.2)
        left, top = (0, 0) if whole else (int(random.integers(-3, side + 3).clip(0)) for side in (width, height))
        columns, rows = (width, height) if whole else (int(random.integers(0 if chance(0.1) else 1, side + 4)) for side in (width, height))
        own = _random_palette(random) if chance(0.4) else None
        code_bits = int(random.integers(1, 9))
        indexes = random.integers(0, min(1 << code_bits, int(pick(2, 4, 20, 256))), (rows, columns), numpy.uint8)
        if chance(0.3):
            indexes[:] = indexes[:1]
        parts.append(GifFrame(indexes, left, top, own, chance(0.3), code_bits).data())
    return gif(parts, width, height, palette, int(random.integers(256)), pick(b"89a", b"89a", b"87a"))


def _random_palette(random: numpy.random.Generator) -> Pixels:
    return random.integers(0, 256, (2 << int(random.integers(8)), 3), numpy.uint8)
