"""PNG and APNG files written by the tests: every colour type, depth, filter and interlace, and every way to be wrong.

After "Portable Network Graphics (PNG) Specification (Third Edition)": §5.3 (chunks), §7.2 (scanlines), §8.1 (interlace), §9.2 (filters).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy
from numpy.typing import NDArray

Samples = NDArray[numpy.uint16]
"""Height × width × channels."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
DEPTHS = {GREY: (1, 2, 4, 8, 16), RGB: (8, 16), PALETTE: (1, 2, 4, 8), GREY_ALPHA: (8, 16), RGBA: (8, 16)}
KINDS = [(colour, depth) for colour, depths in DEPTHS.items() for depth in depths]
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Left, top, and the steps across and down of each pass."""
END = struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))


def chunk(kind: bytes, data: bytes = b"", crc: int | None = None) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) if crc is None else crc)


def header(width: int, height: int, colour: int = RGB, depth: int = 8, interlace: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))


def noise(width: int, height: int, colour: int = RGB, depth: int = 8, seed: int = 0) -> Samples:
    """Slopes with grain in each channel."""
    random = numpy.random.default_rng([seed, width, height, colour, depth])
    across, down = numpy.meshgrid(numpy.linspace(0, 1, width), numpy.linspace(0, 1, height))
    parts = [(across * random.random() + down * random.random() + 0.3 * random.random((height, width))) % 1.0 for _ in range(CHANNELS[colour])]
    return (numpy.stack(parts, -1) * (2**depth - 1)).round().astype(numpy.uint16)


def palette(entries: int, seed: int = 0) -> bytes:
    return numpy.random.default_rng(seed).integers(0, 256, 3 * entries, dtype=numpy.uint8).tobytes()


def scanlines(samples: Samples, depth: int = 8, interlace: int = 0, filters: Sequence[int] = (0, 1, 2, 3, 4)) -> bytes:
    """The filtered rows, before compression. ``filters`` are used in turns."""
    if not interlace:
        return _filtered(samples, depth, filters)
    passes = (samples[top::down, left::across] for left, top, across, down in ADAM7)
    return b"".join(_filtered(each, depth, filters) for each in passes if each.size)


def _filtered(samples: Samples, depth: int, filters: Sequence[int]) -> bytes:
    height, _width, channels = samples.shape
    rows = _packed(samples.reshape(height, -1), depth)
    step, result = max(1, channels * depth // 8), []
    before = numpy.zeros(rows.shape[1], numpy.int32)
    for number, row in enumerate(rows.astype(numpy.int32)):
        kind = filters[number % len(filters)]
        left, corner = (numpy.concatenate([numpy.zeros(step, numpy.int32), each])[: len(row)] for each in (row, before))
        guess = (0, left, before, (left + before) // 2, _paeth(left, before, corner))[kind]
        result.append(bytes([kind]) + ((row - guess) & 255).astype(numpy.uint8).tobytes())
        before = row
    return b"".join(result)


def _packed(rows: NDArray[numpy.uint16], depth: int) -> NDArray[numpy.uint8]:
    if depth == 16:
        return rows.astype(">u2").view(numpy.uint8)
    bits = (rows[..., None] >> numpy.arange(depth - 1, -1, -1)) & 1
    return numpy.packbits(bits.reshape(len(rows), -1).astype(numpy.uint8), axis=1)


def _paeth(left: NDArray[numpy.int32], up: NDArray[numpy.int32], corner: NDArray[numpy.int32]) -> NDArray[numpy.int32]:
    guess = left + up - corner
    far_left, far_up, far_corner = (abs(guess - each) for each in (left, up, corner))
    return numpy.where((far_left <= far_up) & (far_left <= far_corner), left, numpy.where(far_up <= far_corner, up, corner))


@dataclass
class Png:
    """One still, in parts that a test can exchange. ``before`` stands between IHDR and PLTE, ``between`` before IDAT, ``after`` behind it."""

    samples: Samples
    colour: int = RGB
    depth: int = 8
    interlace: int = 0
    before: bytes = b""
    between: bytes = b""
    after: bytes = b""
    colours: bytes | None = None
    filters: Sequence[int] = (0, 1, 2, 3, 4)
    data: bytes = field(init=False)
    """The compressed scanlines."""

    def __post_init__(self) -> None:
        self.data = zlib.compress(scanlines(self.samples, self.depth, self.interlace, self.filters))
        if self.colours is None and self.colour == PALETTE:
            self.colours = palette(2**self.depth)

    @property
    def head(self) -> bytes:
        height, width, _ = self.samples.shape
        start = SIGNATURE + header(width, height, self.colour, self.depth, self.interlace) + self.before
        return start + (b"" if self.colours is None else chunk(b"PLTE", self.colours)) + self.between

    def file(self, idat: bytes | None = None) -> bytes:
        """``idat`` in place of the one IDAT chunk."""
        return self.head + (chunk(b"IDAT", self.data) if idat is None else idat) + self.after + END


def pieces(data: bytes, length: int) -> Iterator[bytes]:
    return (data[at : at + length] for at in range(0, len(data), length))


@dataclass
class ApngFrame:
    """``samples`` None: the frame has an fcTL and no data."""

    samples: Samples | None
    left: int = 0
    top: int = 0
    delay: tuple[int, int] = (1, 10)
    dispose: int = 0
    blend: int = 0
    sides: tuple[int, int] | None = None
    """Width and height as the fcTL says; those of the samples otherwise."""


@dataclass
class Apng:
    """An animation whose first frame is the default image, or one with a hidden default image."""

    frames: Sequence[ApngFrame]
    colour: int = RGBA
    depth: int = 8
    interlace: int = 0
    size: tuple[int, int] | None = None
    """Of the canvas; the first frame's otherwise."""
    hidden: Samples | None = None
    count: int | None = None
    """Frames as acTL says."""
    plays: int = 0
    between: bytes = b""
    data_bytes: int = 1 << 20
    """The longest fdAT."""

    def parts(self) -> list[bytes]:
        """The chunks from IHDR to IEND."""
        first = self.frames[0].samples if self.hidden is None else self.hidden
        assert first is not None
        width, height = self.size or (first.shape[1], first.shape[0])
        result = [header(width, height, self.colour, self.depth, self.interlace), self._control()]
        result += [chunk(b"PLTE", palette(2**self.depth))] if self.colour == PALETTE else []
        result += [self.between] if self.between else []
        result += [] if self.hidden is None else [chunk(b"IDAT", self._compressed(self.hidden))]
        number = 0
        for frame in self.frames:
            result.append(chunk(b"fcTL", self.frame_control(number, frame)))
            is_default = number == 0 and self.hidden is None
            number += 1
            for piece in pieces(b"" if frame.samples is None else self._compressed(frame.samples), self.data_bytes):
                if is_default:
                    result.append(chunk(b"IDAT", piece))
                    continue
                result.append(chunk(b"fdAT", struct.pack(">I", number) + piece))
                number += 1
        return [*result, END]

    def file(self) -> bytes:
        return SIGNATURE + b"".join(self.parts())

    def _control(self) -> bytes:
        return chunk(b"acTL", struct.pack(">II", len(self.frames) if self.count is None else self.count, self.plays))

    def _compressed(self, samples: Samples) -> bytes:
        return zlib.compress(scanlines(samples, self.depth, self.interlace))

    @staticmethod
    def frame_control(number: int, frame: ApngFrame) -> bytes:
        shape = (1, 1) if frame.samples is None else frame.samples.shape
        width, height = frame.sides or (shape[1], shape[0])
        return struct.pack(">IIIIIHHBB", number, width, height, frame.left, frame.top, *frame.delay, frame.dispose, frame.blend)
