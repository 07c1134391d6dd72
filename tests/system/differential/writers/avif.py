"""AVIF files: libavif's data in every form that it writes, and the colours that the container tells (MIAF, ISO/IEC 23091-2)."""

from __future__ import annotations

import io
import struct

import numpy
from PIL import Image

from tests.system.differential.writers import icc
from tests.system.differential.writers.sample import Chance, Sample

NCLX = {"bt709": (1, 13), "display-p3": (12, 13), "bt2020": (9, 14), "pq": (9, 16), "hlg": (9, 18), "unspecified": (2, 2)}
"""Primaries and transfer. The matrix stays as libavif wrote it."""


def avif(seed: str) -> Sample:
    chance = Chance(seed)
    width, height = chance.number(1, 70), chance.number(1, 70)
    options: dict[str, object] = {
        "quality": chance.number(40, 100),
        "speed": 10,
        "subsampling": chance.one_of("4:4:4", "4:2:2", "4:2:0"),
        "range": chance.one_of("full", "limited"),
    }
    for name in ("subsampling", "range"):
        chance.note(f"{name}-{options[name]}")
    if chance.gets("iccp", 0.15):
        options["icc_profile"] = icc.rgb_profile(chance.one_of(*icc.PRIMARIES), chance.one_of(1.8, 2.2))
    is_animated = chance.gets("animated", 0.2)
    if not is_animated and chance.gets("exif-orientation", 0.2):  # libavif 1.4 crashes where it encodes alpha with both
        tag = Image.Exif()
        tag[0x0112] = chance.number(1, 8)
        options["exif"] = tag
    if is_animated:
        count = chance.number(2, 5)
        has_alpha = chance.happens(0.4)
        frames = [_picture(chance, width, height, has_alpha) for _ in range(count)]
        durations_ms = [chance.one_of(10, 20, 50, 100, 333) for _ in range(count)]
        data = saved(frames[0], **options, save_all=True, append_images=frames[1:], duration=durations_ms)
    else:
        data = saved(_picture(chance, width, height, chance.gets("alpha", 0.35)), **options)
    if chance.gets("nclx", 0.3):
        name = chance.one_of(*NCLX)
        chance.note(f"nclx-{name}")
        data = with_nclx(data, *NCLX[name])
    return chance.sample(data)


def with_nclx(data: bytes, primaries: int, transfer: int) -> bytes:
    """With other primaries and transfer in each ``colr`` box of type ``nclx``."""
    parts = data.split(b"colrnclx")
    return b"colrnclx".join([parts[0], *(struct.pack(">HH", primaries, transfer) + each[4:] for each in parts[1:])])


def _picture(chance: Chance, width: int, height: int, has_alpha: bool) -> Image.Image:
    colours = chance.picture(width, height, 3)
    return Image.fromarray(numpy.concatenate([colours, chance.alpha(width, height)], 2) if has_alpha else colours)


def saved(picture: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, "AVIF", **options)
    return out.getvalue()
