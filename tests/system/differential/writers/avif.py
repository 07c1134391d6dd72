"""AVIF files: libavif's and libheif's data in the forms that they write, and the colours that the container tells (MIAF, ISO/IEC 23091-2)."""

from __future__ import annotations

import io
import struct

import numpy
import pyvips  # type: ignore[import-untyped]
from PIL import Image

from tests.system.differential.writers import icc
from tests.system.differential.writers.sample import Bytes, Chance, Sample

NCLX = {"bt709": (1, 13), "display-p3": (12, 13), "bt2020": (9, 14), "pq": (9, 16), "hlg": (9, 18), "unspecified": (2, 2)}
"""Primaries and transfer. The matrix stays as the encoder wrote it."""


def avif(seed: str) -> Sample:
    chance = Chance(seed)
    width, height = chance.number(1, 70), chance.number(1, 70)
    if chance.gets("animated", 0.2):
        data = _sequence(chance, width, height)
    elif chance.gets("by-libheif", 0.3):
        data = _by_libheif(chance, width, height)
    else:
        data = _still(chance, width, height)
    if chance.gets("nclx", 0.3):
        name = chance.one_of(*NCLX)
        chance.note(f"nclx-{name}")
        data = with_nclx(data, *NCLX[name])
    return chance.sample(chance.damaged(data, 0.02))


def with_nclx(data: bytes, primaries: int, transfer: int) -> bytes:
    """With other primaries and transfer in each ``colr`` box of type ``nclx``."""
    parts = data.split(b"colrnclx")
    return b"colrnclx".join([parts[0], *(struct.pack(">HH", primaries, transfer) + each[4:] for each in parts[1:])])


def _options(chance: Chance) -> dict[str, object]:
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
    return options


def _sequence(chance: Chance, width: int, height: int) -> bytes:
    """Without EXIF: libavif 1.4 crashes where it encodes a sequence with both alpha and EXIF."""
    count, has_alpha = chance.number(2, 5), chance.happens(0.4)
    frames = [_picture(chance, width, height, has_alpha) for _ in range(count)]
    durations_ms = [chance.one_of(10, 20, 50, 100, 333) for _ in range(count)]
    return saved(frames[0], **_options(chance), save_all=True, append_images=frames[1:], duration=durations_ms)


def _still(chance: Chance, width: int, height: int) -> bytes:
    options = _options(chance)
    if chance.gets("exif-orientation", 0.2):
        tag = Image.Exif()
        tag[0x0112] = chance.number(1, 8)
        options["exif"] = tag
    return saved(_picture(chance, width, height, chance.gets("alpha", 0.35)), **options)


def _by_libheif(chance: Chance, width: int, height: int) -> bytes:
    """Depths of 10 and 12 bits, and grey."""
    bits, channels = chance.one_of(8, 10, 12), chance.one_of(1, 3, 3, 4)
    chance.note(f"bits-{bits}")
    if channels == 4:
        chance.note("alpha")
    pixels = chance.picture(width, height, channels, 256 if bits == 8 else 65536)
    kind = ("b-w" if channels == 1 else "srgb") if bits == 8 else "grey16" if channels == 1 else "rgb16"
    image = pyvips.Image.new_from_array(pixels).copy(interpretation=kind)
    mode = "on" if chance.gets("subsampled", 0.5) else "off"
    return bytes(image.heifsave_buffer(compression="av1", bitdepth=bits, Q=chance.number(40, 100), effort=0, subsample_mode=mode))


def _picture(chance: Chance, width: int, height: int, has_alpha: bool) -> Image.Image:
    colours: Bytes = chance.picture(width, height, 3)
    return Image.fromarray(numpy.concatenate([colours, chance.alpha(width, height)], 2) if has_alpha else colours)


def saved(picture: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, "AVIF", **options)
    return out.getvalue()
