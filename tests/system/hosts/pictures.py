"""What clients send, and what must come of it: looked at with Pillow alone."""

from __future__ import annotations

import io
import random
import secrets
from dataclasses import dataclass, field
from functools import cache

import numpy
from PIL import Image

from tests.support.images import photograph

SIZES = ((160, 120), (320, 240), (640, 480), (800, 600), (1600, 1200), (2400, 1800))
WEIGHTS = (6, 6, 6, 4, 2, 1)
SEEDS = 4
LOOKED_AT = 48
"""Sides of the small copies that are compared."""
NEAR, FAR = 8.0, 14.0
"""Mean difference of 256: of a picture and its WebP at most, of two pictures at least."""


@dataclass(frozen=True)
class Sent:
    """One image as a client sends it. ``code`` is that of the error which it must end with, if it is damaged."""

    data: bytes
    width: int
    height: int
    like: tuple[int, int, int]
    options: dict[str, str] = field(default_factory=dict)
    code: str | None = None

    def fault_of(self, result: bytes) -> str | None:
        """What is wrong with this result; None if nothing is."""
        try:
            with Image.open(io.BytesIO(result)) as image:
                if image.format != "WEBP":
                    return f"is {image.format}"
                if image.size != (self.width, self.height):
                    return f"has {image.size} instead of {(self.width, self.height)}"
                seen = small(image)
        except OSError as error:
            return f"cannot be decoded: {error}"
        difference = float(numpy.abs(seen - small_of(*self.like)).mean())
        return f"shows something else: {difference:.1f}" if difference > NEAR else None


def small(image: Image.Image) -> numpy.ndarray:
    return numpy.asarray(image.convert("RGB").resize((LOOKED_AT, LOOKED_AT), Image.Resampling.BOX), numpy.float32)


@cache
def small_of(width: int, height: int, seed: int) -> numpy.ndarray:
    return small(Image.open(io.BytesIO(photograph(width, height, seed))))


def check_that_pictures_differ() -> None:
    """Else a result that belongs to another image could pass."""
    all_of_them = [small_of(*size, seed) for size in SIZES for seed in range(SEEDS)]
    for number, one in enumerate(all_of_them):
        for other in all_of_them[number + 1 :]:
            assert float(numpy.abs(one - other).mean()) > FAR


def draw(chance: random.Random) -> Sent:
    """An image of its own, most times; some are sent several times, and some are damaged."""
    width, height = chance.choices(SIZES, WEIGHTS)[0]
    like = width, height, chance.randrange(SEEDS)
    data = photograph(*like)
    if chance.random() < 0.08:
        return Sent(damaged(data), width, height, like, code="damaged_image")
    if chance.random() < 0.85:
        data = with_comment(data, secrets.token_bytes(16))
    if chance.random() < 0.3:
        narrow = width // 2
        return Sent(data, narrow, height // 2, like, {"width": str(narrow)})
    return Sent(data, width, height, like, {"quality": chance.choice(("70", "80", "90"))})


def with_comment(jpeg: bytes, comment: bytes) -> bytes:
    """The same picture in other bytes (ITU-T T.81, B.2.4.5)."""
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


def damaged(jpeg: bytes) -> bytes:
    """Its head is whole and half of its picture is missing: only an encoder sees it."""
    return with_comment(jpeg, secrets.token_bytes(16))[: len(jpeg) // 2]
