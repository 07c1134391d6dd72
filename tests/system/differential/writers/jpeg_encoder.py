"""A baseline JPEG encoder (ISO/IEC 10918-1) for what libjpeg's callers do not offer: any sampling, any number of components, scans apart."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy
from numpy.typing import NDArray

Block = NDArray[numpy.float64]
COSINES: Block = numpy.array([[numpy.sqrt((1 + (u > 0)) / 8) * numpy.cos((2 * x + 1) * u * numpy.pi / 16) for x in range(8)] for u in range(8)])
ZIGZAG = sorted(range(64), key=lambda at: (at // 8 + at % 8, at // 8 if (at // 8 + at % 8) % 2 else at % 8))
DC_BITS = (0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0)
DC_VALUES = bytes(range(12))
AC_VALUES = bytes(run << 4 | size for run in range(16) for size in range(11) if size or run in (0, 15))
AC_COUNTS = tuple({8: 90, 9: len(AC_VALUES) - 90}.get(length, 0) for length in range(1, 17))
"""Codes of 8 bits, then of 9: as good as any for a test."""


@dataclass(frozen=True)
class Component:
    """``plane`` has the whole picture's size; it is sampled down by the factors of all."""

    plane: NDArray[numpy.uint8]
    across: int = 1
    down: int = 1
    number: int = 0


def encoded(components: Sequence[Component], step: int, restart_every: int = 0, is_interleaved: bool = True) -> bytes:
    """SOI to EOI, without any application segment. Every coefficient is quantized by ``step``."""
    height, width = components[0].plane.shape
    most = max(each.across for each in components), max(each.down for each in components)
    frame = struct.pack(">BHHB", 8, height, width, len(components))
    frame += b"".join(bytes((each.number, each.across << 4 | each.down, 0)) for each in components)
    parts = [b"\xff\xd8", _segment(0xDB, b"\0" + bytes([step]) * 64), _segment(0xC0, frame), _tables()]
    if restart_every:
        parts.append(_segment(0xDD, struct.pack(">H", restart_every)))
    for scan in [list(components)] if is_interleaved else [[each] for each in components]:
        parts += [_scan_header(scan), _scan(scan, (width, height), most, step, restart_every)]
    return b"".join(parts) + b"\xff\xd9"


def _segment(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, kind, len(body) + 2) + body


def _tables() -> bytes:
    return _segment(0xC4, b"\x00" + bytes(DC_BITS) + DC_VALUES) + _segment(0xC4, b"\x10" + bytes(AC_COUNTS) + AC_VALUES)


def _scan_header(scan: list[Component]) -> bytes:
    return _segment(0xDA, bytes([len(scan)]) + b"".join(bytes((each.number, 0)) for each in scan) + b"\0\x3f\0")


def _codes(counts: Sequence[int], values: bytes) -> dict[int, str]:
    """Annex C.2."""
    found, code, at = {}, 0, 0
    for length, count in enumerate(counts, 1):
        for value in values[at : at + count]:
            found[value] = format(code, f"0{length}b")
            code += 1
        at += count
        code <<= 1
    return found


DC_CODES, AC_CODES = _codes(DC_BITS, DC_VALUES), _codes(AC_COUNTS, AC_VALUES)


def _scan(scan: list[Component], sides: tuple[int, int], most: tuple[int, int], step: int, restart_every: int) -> bytes:
    """A scan of one component has one block a unit, and only the blocks that the picture needs (A.2)."""
    width, height = sides
    is_alone = len(scan) == 1
    planes = [_blocks(each, sides, most, step) for each in scan]
    if is_alone:
        across = ceil(ceil(width * scan[0].across / most[0]) / 8)
        down = ceil(ceil(height * scan[0].down / most[1]) / 8)
    else:
        across, down = ceil(width / (8 * most[0])), ceil(height / (8 * most[1]))
    out: list[bytes] = []
    bits: list[str] = []
    before = [0] * len(scan)
    for unit in range(across * down):
        if restart_every and unit and unit % restart_every == 0:
            out += [_stuffed(bits), bytes((0xFF, 0xD0 + (unit // restart_every - 1) % 8))]
            bits, before = [], [0] * len(scan)
        for number, (component, blocks) in enumerate(zip(scan, planes, strict=True)):
            size = (1, 1) if is_alone else (component.across, component.down)
            for row in range(size[1]):
                for column in range(size[0]):
                    block = blocks[unit // across * size[1] + row][unit % across * size[0] + column]
                    bits.append(_block_bits(block, before[number]))
                    before[number] = block[0]
    return b"".join([*out, _stuffed(bits)])


def _blocks(component: Component, sides: tuple[int, int], most: tuple[int, int], step: int) -> list[list[list[int]]]:
    """Rows of blocks of quantized coefficients in zigzag order, up to whole units."""
    width, height = (ceil(side / (8 * each)) * 8 * each for side, each in zip(sides, most, strict=True))
    plane = numpy.pad(component.plane, ((0, height - sides[1]), (0, width - sides[0])), mode="edge").astype(numpy.float64)
    across, down = most[0] // component.across, most[1] // component.down
    small = plane.reshape(height // down, down, width // across, across).mean((1, 3)) - 128
    found = []
    for top in range(0, small.shape[0], 8):
        row = []
        for left in range(0, small.shape[1], 8):
            block = numpy.rint(COSINES @ small[top : top + 8, left : left + 8] @ COSINES.T / step).astype(int).reshape(64)
            row.append([int(block[at]) for at in ZIGZAG])
        found.append(row)
    return found


def _block_bits(block: list[int], before: int) -> str:
    """F.1.2."""
    found, run = [], 0
    size, value = _magnitude(block[0] - before)
    found.append(DC_CODES[size] + value)
    for coefficient in block[1:]:
        if coefficient == 0:
            run += 1
            continue
        found += [AC_CODES[0xF0]] * (run // 16)
        size, value = _magnitude(coefficient)
        found.append(AC_CODES[run % 16 << 4 | size] + value)
        run = 0
    return "".join(found) + (AC_CODES[0] if run else "")


def _magnitude(value: int) -> tuple[int, str]:
    size = abs(value).bit_length()
    return size, format(value if value > 0 else value + (1 << size) - 1, f"0{size}b") if size else ""


def _stuffed(bits: list[str]) -> bytes:
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    return int(text or "0", 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")
