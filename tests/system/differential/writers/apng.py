"""Animated PNG files (§11.3.6): offsets, disposals, blends, hidden default images, and a still beside them."""

from __future__ import annotations

import struct

from tests.system.differential.writers.png import (
    SIGNATURE,
    Form,
    chunk,
    colour_chunks,
    header,
    odd_chunks,
    palette,
    pixels,
    some_form,
    some_picture,
    split,
    transparency,
)
from tests.system.differential.writers.sample import Chance, Sample

DELAYS = ((0, 100), (1, 100), (1, 10), (1, 0), (5, 100), (20, 1000), (1, 3), (11, 1000), (1, 1), (10, 0))


class _Frames:
    """Writes the chunks of frames, which are numbered one after another."""

    def __init__(self, chance: Chance, form: Form) -> None:
        self._chance, self._form, self._sequence = chance, form, 0

    def control(self, left: int, top: int, width: int, height: int) -> bytes:
        dispose, blend = self._chance.number(0, 2), self._chance.number(0, 1)
        place = struct.pack(">IIIII", self._next(), width, height, left, top)
        return chunk(b"fcTL", place + struct.pack(">HHBB", *self._chance.one_of(*DELAYS), dispose, blend))

    def data(self, width: int, height: int) -> list[bytes]:
        whole = pixels(self._chance, some_picture(self._chance, width, height, self._form), self._form)
        parts = [whole] if self._chance.happens(0.7) else [whole[: len(whole) // 2], whole[len(whole) // 2 :]]
        return [chunk(b"fdAT", struct.pack(">I", self._next()) + part) for part in parts]

    def _next(self) -> int:
        self._sequence += 1 + self._chance.gets("sequence-with-a-gap", 0.01)
        return self._sequence - 1


def apng(seed: str) -> Sample:
    chance = Chance(seed)
    width, height, form = chance.number(1, 40), chance.number(1, 40), some_form(chance)
    frames, count = _Frames(chance, form), chance.one_of(1, 2, 2, 3, 3, 4, 5, 8)
    is_hidden = chance.gets("hidden-default-image", 0.3)
    parts = [SIGNATURE, header(width, height, form), *colour_chunks(chance, form), *palette(chance, form), *transparency(chance, form)]
    stated = count + chance.one_of(-1, 1, 2) if chance.gets("frames-miscounted", 0.05) else count
    parts.append(chunk(b"acTL", struct.pack(">II", stated, chance.one_of(0, 0, 1, 2, 3, 1000))))
    parts += [] if is_hidden else [frames.control(0, 0, width, height)]
    parts += split(chance, pixels(chance, some_picture(chance, width, height, form), form))
    for _ in range(count if is_hidden else count - 1):
        left, top, frame_width, frame_height = _place(chance, width, height)
        parts += [frames.control(left, top, frame_width, frame_height), *odd_chunks(chance), *frames.data(frame_width, frame_height)]
    return chance.sample(chance.damaged(b"".join(parts) + chunk(b"IEND", b""), 0.02))


def _place(chance: Chance, width: int, height: int) -> tuple[int, int, int, int]:
    if chance.happens(0.25):
        return 0, 0, width, height
    if chance.gets("frame-beyond-canvas", 0.02):
        return chance.number(0, width), chance.number(0, height), width, height
    left, top = chance.number(0, width - 1), chance.number(0, height - 1)
    return left, top, chance.number(1, width - left), chance.number(1, height - top)
