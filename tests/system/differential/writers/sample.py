"""A file that a writer made, what is odd about it, and what a writer decides by."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TypeVar

import numpy
from numpy.typing import NDArray

Bytes = NDArray[numpy.uint8]
T = TypeVar("T")


@dataclass(frozen=True)
class Sample:
    """``traits`` are words for what the file has, by which the table of meant differences picks it."""

    data: bytes
    traits: frozenset[str]
    expected: Bytes | None = None
    """RGBA by the specification, for files that Chromium does not show."""
    told: bytes = b""
    """The chunks by which a PNG tells the colours of ``expected``."""


class Chance:
    """The same decisions for the same seed. What the file has is noted as its traits."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)
        self.traits: set[str] = set()

    def gets(self, trait: str, probability: float) -> bool:
        """Whether the file gets ``trait``."""
        if self.happens(probability):
            self.traits.add(trait)
            return True
        return False

    def note(self, trait: str) -> None:
        self.traits.add(trait)

    def damaged(self, data: bytes, probability: float) -> bytes:
        """Sometimes cut, or a part of its later half zeroed."""
        if self.gets("cut", probability):
            return data[: len(data) * self.number(50, 95) // 100]
        if self.gets("zeroed", probability):
            start = len(data) * self.number(50, 70) // 100
            length = len(data) // 5
            return data[:start] + bytes(length) + data[start + length :]
        return data

    def sample(self, data: bytes, expected: Bytes | None = None, told: bytes = b"") -> Sample:
        return Sample(data, frozenset(self.traits), expected, told)

    def happens(self, probability: float) -> bool:
        return self._random.random() < probability

    def number(self, low: int, high: int) -> int:
        """From ``low`` to ``high``, both included."""
        return self._random.randint(low, high)

    def one_of(self, *values: T) -> T:
        return self._random.choice(values)

    def bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)

    def picture(self, width: int, height: int, channels: int = 4, levels: int = 256) -> Bytes:
        """Height × width × channels of values below ``levels``: blocks, slopes or noise."""
        noise = numpy.random.default_rng(self._random.getrandbits(32))
        shape = (height, width, channels)
        match self.number(0, 2):
            case 0:
                side = self.number(2, 8)
                small = noise.integers(0, levels, (height // side + 1, width // side + 1, channels))
                found = small.repeat(side, 0).repeat(side, 1)[:height, :width]
            case 1:
                start, step_x, step_y = (noise.integers(0, levels, channels) for _ in range(3))
                across, down = numpy.arange(width)[None, :, None], numpy.arange(height)[:, None, None]
                found = (start + across * step_x // max(1, width) + down * step_y // max(1, height)) % levels
            case _:
                found = noise.integers(0, levels, shape)
        return numpy.ascontiguousarray(found, numpy.uint8) if levels <= 256 else numpy.ascontiguousarray(found, numpy.uint16)

    def alpha(self, width: int, height: int) -> Bytes:
        """Opaque, clear and half-transparent parts."""
        kind = self.one_of("opaque", "binary", "any")
        if kind == "opaque":
            return numpy.full((height, width, 1), 255, numpy.uint8)
        values = self.picture(width, height, 1)
        return numpy.where(values > 127, 255, 0).astype(numpy.uint8) if kind == "binary" else values
