"""GIF files (GIF89a specification), with what browsers meet: odd disposals, frames beyond the screen, missing ends."""

from __future__ import annotations

import struct

from tests.system.differential.writers.sample import Chance, Sample

TABLE_CODES = 4096
DELAYS_CS = (0, 1, 1, 2, 3, 5, 10, 10, 100)


def gif(seed: str) -> Sample:
    chance = Chance(seed)
    width, height = chance.number(1, 40), chance.number(1, 40)
    version = b"GIF89a" if not chance.gets("87a", 0.05) else b"GIF87a"
    global_bits = chance.number(1, 8) if not chance.gets("no-global-palette", 0.15) else 0
    flags = 0x70 | (0x80 | (global_bits - 1) if global_bits else 0)
    background = chance.number(0, (1 << global_bits) - 1 if global_bits else 0)
    parts = [version, struct.pack("<HHBBB", width, height, flags, background, chance.one_of(0, 0, 49))]
    if global_bits:
        parts.append(_palette(chance, global_bits))
    parts.append(_loops(chance))
    for number in range(chance.one_of(1, 2, 2, 3, 3, 4, 5, 8)):
        parts += [_comment(chance), _control(chance, global_bits), _image(chance, width, height, global_bits, number)]
    parts.append(_end(chance))
    return chance.sample(chance.damaged(b"".join(parts), 0.02))


def _palette(chance: Chance, bits: int) -> bytes:
    return chance.bytes(3 << bits)


def _loops(chance: Chance) -> bytes:
    if chance.happens(0.35):
        return b""
    name = chance.one_of(b"NETSCAPE2.0", b"NETSCAPE2.0", b"ANIMEXTS1.0")
    return b"\x21\xff\x0b" + name + b"\x03\x01" + struct.pack("<H", chance.one_of(0, 1, 2, 3, 7, 1000)) + b"\0"


def _comment(chance: Chance) -> bytes:
    if not chance.happens(0.15):
        return b""
    kind = chance.one_of(b"\xfe", b"\xfe", b"\xff\x0bXMP DataXMP", b"\x77")
    text = chance.bytes(chance.number(1, 300))
    return b"\x21" + kind + _blocks(text)


def _plain_text(chance: Chance) -> bytes:
    """§25: no browser draws it."""
    return b"\x21\x01\x0c" + struct.pack("<HHHHBBBB", 0, 0, 8, 8, 8, 8, 0, 1) + _blocks(b"words")


def _control(chance: Chance, global_bits: int) -> bytes:
    if chance.gets("frame-without-control", 0.08):
        return b""
    disposal = chance.one_of(0, 1, 1, 2, 2, 3, 3, chance.number(4, 7))
    if disposal > 3:
        chance.note("disposal-4-to-7")
    is_transparent = chance.happens(0.6)
    index = chance.number(0, (1 << global_bits) - 1 if global_bits and chance.happens(0.8) else 255)
    delay_cs = chance.one_of(*DELAYS_CS)
    if chance.gets("plain-text", 0.02):
        return _plain_text(chance)
    return b"\x21\xf9\x04" + struct.pack("<BHBB", disposal << 2 | is_transparent, delay_cs, index, 0)


def _image(chance: Chance, screen_width: int, screen_height: int, global_bits: int, number: int) -> bytes:
    left, top, width, height = _place(chance, screen_width, screen_height, number)
    if chance.gets("zero-side", 0.02):
        width, height = chance.one_of((0, height), (width, 0), (0, 0))
    local_bits = chance.number(1, 8) if chance.happens(0.35) or (not global_bits and not chance.gets("no-palette", 0.1)) else 0
    bits = local_bits or global_bits or 8
    is_interlaced = chance.gets("interlaced", 0.3)
    flags = (0x80 | (local_bits - 1) if local_bits else 0) | (0x40 if is_interlaced else 0)
    code_bits = max(2, bits)
    if chance.gets("index-beyond-palette", 0.04):
        code_bits = 8
    indices = chance.picture(width, height, 1, 256 if code_bits == 8 else 1 << bits)[..., 0]
    rows = [bytes(indices[row]) for row in (_interlaced(height) if is_interlaced else range(height))]
    head = b"\x2c" + struct.pack("<HHHHB", left, top, width, height, flags)
    data = b"".join(rows)
    if chance.gets("too-much-data", 0.03):
        data += chance.bytes(1) * chance.number(1, 50)
        data = bytes(each & ((1 << code_bits) - 1) for each in data)
    if chance.gets("too-little-data", 0.02):
        data = data[: len(data) // 2]
    return head + (_palette(chance, local_bits) if local_bits else b"") + bytes([code_bits]) + _blocks(lzw(data, code_bits, chance))


def _place(chance: Chance, width: int, height: int, number: int) -> tuple[int, int, int, int]:
    """Left, top, width and height of a frame; sometimes the whole screen, sometimes beyond it."""
    if chance.happens(0.75 if number == 0 else 0.25):
        return 0, 0, width, height
    if chance.gets("first-beyond-screen" if number == 0 else "beyond-screen", 0.12):
        return chance.number(0, width + 3), chance.number(0, height + 3), chance.number(1, width + 9), chance.number(1, height + 9)
    left, top = chance.number(0, width - 1), chance.number(0, height - 1)
    return left, top, chance.number(1, width - left), chance.number(1, height - top)


def _interlaced(height: int) -> list[int]:
    """Appendix E."""
    return [row for start, step in ((0, 8), (4, 8), (2, 4), (1, 2)) for row in range(start, height, step)]


def _end(chance: Chance) -> bytes:
    if chance.gets("no-trailer", 0.06):
        return b""
    return b"\x3b" + (chance.bytes(chance.number(1, 40)) if chance.gets("data-after-trailer", 0.06) else b"")


def _blocks(data: bytes) -> bytes:
    pieces = [data[at : at + 255] for at in range(0, len(data), 255)]
    return b"".join(bytes([len(each)]) + each for each in pieces) + b"\0"


def lzw(data: bytes, code_bits: int, chance: Chance) -> bytes:
    """Appendix F. A full table is cleared, or kept as it is (a deferred clear code)."""
    clear, end = 1 << code_bits, (1 << code_bits) + 1
    is_deferred = chance.happens(0.3)
    bits = _Bits()
    bits.add(clear, code_bits + 1)
    table, size, prefix = _fresh(code_bits), code_bits + 1, b""
    for value in data:
        longer = prefix + bytes([value])
        if longer in table:
            prefix = longer
            continue
        bits.add(table[prefix], size)
        next_code = len(table) + 2
        if next_code < TABLE_CODES:
            table[longer] = next_code
            size += next_code == 1 << size and size < 12
        elif not is_deferred:
            bits.add(clear, size)
            table, size = _fresh(code_bits), code_bits + 1
        prefix = bytes([value])
    if prefix:
        bits.add(table[prefix], size)
        size += len(table) + 2 == 1 << size and size < 12
    bits.add(end, size)
    return bits.bytes()


def _fresh(code_bits: int) -> dict[bytes, int]:
    return {bytes([value]): value for value in range(1 << code_bits)}


class _Bits:
    """Codes of any length, lowest bit first."""

    def __init__(self) -> None:
        self._done = bytearray()
        self._value = self._count = 0

    def add(self, code: int, bits: int) -> None:
        self._value |= code << self._count
        self._count += bits
        while self._count >= 8:
            self._done.append(self._value & 255)
            self._value >>= 8
            self._count -= 8

    def bytes(self) -> bytes:
        return bytes(self._done) + (bytes([self._value]) if self._count else b"")
