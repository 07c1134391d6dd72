"""Small TIFF files of every layout, written from the specification (TIFF 6.0) and not by an imaging library."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[Any]
"""Rows × columns × samples."""
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR, LAB = 0, 1, 2, 3, 5, 6, 8
CHANNELS = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 1, CMYK: 4, YCBCR: 3, LAB: 3}
UNSPECIFIED, PREMULTIPLIED, STRAIGHT = 0, 1, 2
UNSIGNED, SIGNED, FLOATING = 1, 2, 3
NONE, DEFLATE = 1, 8
_SHORT, _LONG = 3, 4
_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


@dataclass(frozen=True)
class Layout:
    photometric: int = RGB
    bits: int = 8
    extra: tuple[int, ...] = ()
    order: Literal["<", ">"] = "<"
    is_planar: bool = False
    compression: int = NONE
    tile_side: int | None = None
    rows_a_strip: int = 7
    reverses_bits: bool = False
    kind: int = UNSIGNED
    fields: dict[int, list[int]] = field(default_factory=dict)
    """More fields, as LONG where a value needs it, else SHORT."""

    @property
    def samples(self) -> int:
        return CHANNELS[self.photometric] + len(self.extra)


def slopes(layout: Layout, width: int = 37, height: int = 23) -> Samples:
    """Every sample grows to the right and downwards, each in its own way, over the whole range."""
    down, right = np.mgrid[0:height, 0:width]
    highest = (1 << layout.bits) - 1
    planes = []
    for number in range(layout.samples):
        plane = right * (3 + 2 * number) + down * (5 + number) + 40 * number
        planes.append((plane / plane.max() * highest).astype(np.uint32))
    return np.stack(planes, axis=2)


def colour_map(bits: int) -> list[int]:
    return [int(each) for each in np.random.default_rng(1).integers(0, 256, 3 << bits) * 257]


def tiff(samples: Samples, layout: Layout) -> bytes:
    """A file with one page."""
    chunks = [_stored(chunk, layout) for chunk in _chunks(samples, layout)]
    body, offsets = b"", []
    for chunk in chunks:
        offsets.append(8 + len(body))
        body += chunk + b"\0" * (len(chunk) % 2)
    fields = _fields(samples, layout) | _places(layout, offsets, [len(each) for each in chunks]) | layout.fields
    magic = b"II*\0" if layout.order == "<" else b"MM\0*"
    return magic + struct.pack(f"{layout.order}I", 8 + len(body)) + body + _directory(fields, layout.order, 8 + len(body))


def _fields(samples: Samples, layout: Layout) -> dict[int, list[int]]:
    height, width, count = samples.shape
    fields = {256: [width], 257: [height], 258: [layout.bits] * count, 259: [layout.compression], 262: [layout.photometric], 277: [count]}
    fields[284] = [2 if layout.is_planar else 1]
    optional = {266: [2] * layout.reverses_bits, 338: list(layout.extra), 339: [layout.kind] * count if layout.kind != UNSIGNED else []}
    return fields | {tag: values for tag, values in optional.items() if values}


def _places(layout: Layout, offsets: list[int], lengths: list[int]) -> dict[int, list[int]]:
    if layout.tile_side:
        return {322: [layout.tile_side], 323: [layout.tile_side], 324: offsets, 325: lengths}
    return {273: offsets, 278: [layout.rows_a_strip], 279: lengths}


def _chunks(samples: Samples, layout: Layout) -> Iterator[Samples]:
    """The strips or tiles in their order."""
    planes = [samples[:, :, number : number + 1] for number in range(samples.shape[2])] if layout.is_planar else [samples]
    for plane in planes:
        if layout.tile_side is None:
            yield from (plane[top : top + layout.rows_a_strip] for top in range(0, plane.shape[0], layout.rows_a_strip))
            continue
        side = layout.tile_side
        for top in range(0, plane.shape[0], side):
            for left in range(0, plane.shape[1], side):
                part = plane[top : top + side, left : left + side]
                yield np.pad(part, ((0, side - part.shape[0]), (0, side - part.shape[1]), (0, 0)))


def _stored(chunk: Samples, layout: Layout) -> bytes:
    data = b"".join(_row(row.reshape(-1), layout) for row in chunk)
    if layout.reverses_bits:
        data = data.translate(_REVERSED)
    return zlib.compress(data) if layout.compression == DEFLATE else data


def _row(values: Samples, layout: Layout) -> bytes:
    if layout.kind == FLOATING:
        return bytes(values.astype(f"{layout.order}f{layout.bits // 8}").tobytes())
    if layout.bits >= 8:
        return bytes(values.astype(f"{layout.order}u{layout.bits // 8}").tobytes())
    bits = [(values >> place) & 1 for place in range(layout.bits - 1, -1, -1)]
    return bytes(np.packbits(np.stack(bits, axis=1).astype(np.uint8).reshape(-1)).tobytes())


def _directory(fields: dict[int, list[int]], order: str, at: int) -> bytes:
    entries, values = b"", b""
    values_at = at + 2 + 12 * len(fields) + 4
    for tag, numbers in sorted(fields.items()):
        kind = _LONG if tag in (273, 279, 324, 325) or max(numbers) > 65535 else _SHORT
        packed = struct.pack(f"{order}{len(numbers)}{'I' if kind == _LONG else 'H'}", *numbers)
        entries += struct.pack(f"{order}HHI", tag, kind, len(numbers))
        if len(packed) <= 4:
            entries += packed.ljust(4, b"\0")
        else:
            entries += struct.pack(f"{order}I", values_at + len(values))
            values += packed
    return struct.pack(f"{order}H", len(fields)) + entries + b"\0" * 4 + values
