"""HEIC files: libheif's data, in every form that it writes with little loss, and the colours that the container tells."""

from __future__ import annotations

import io

import numpy
import pillow_heif
from PIL import Image

from tests.system.differential.writers import icc
from tests.system.differential.writers.avif import with_nclx
from tests.system.differential.writers.png import chunk, profile_chunk
from tests.system.differential.writers.sample import Bytes, Chance, Sample

NCLX = {"display-p3": (12, 13), "srgb": (1, 13), "pq": (9, 16), "hlg": (9, 18)}
"""Primaries and transfer of what cameras write."""


def heic(seed: str) -> Sample:
    """What is expected is what was given, since Chromium shows no HEIC; ``told`` has its colours as PNG tells them."""
    chance = Chance(seed)
    width, height = chance.number(1, 60), chance.number(1, 60)
    channels = chance.one_of(1, 3, 3, 4)
    given = numpy.concatenate([chance.picture(width, height, 3), chance.alpha(width, height)], 2)[..., :channels]
    chance.note(f"channels-{channels}")
    picture = Image.fromarray(numpy.ascontiguousarray(given[..., 0] if channels == 1 else given))
    out, options, told = io.BytesIO(), dict[str, object](), b""
    if channels != 1 and chance.gets("iccp", 0.2):
        profile = icc.rgb_profile(chance.one_of(*icc.PRIMARIES), chance.one_of(1.8, 2.2))
        options["icc_profile"], told = profile, profile_chunk(profile)
    pillow_heif.from_pillow(picture).save(out, quality=100, chroma=444, **options)
    data = out.getvalue()
    if not told and channels != 1 and chance.gets("nclx", 0.4):
        name = chance.one_of(*NCLX)
        chance.note(f"nclx-{name}")
        data, told = with_nclx(data, *NCLX[name]), chunk(b"cICP", bytes((*NCLX[name], 0, 1)))
    return chance.sample(data, _rgba(given), told)


def _rgba(given: Bytes) -> Bytes:
    height, width, channels = given.shape
    colours = given.repeat(3, 2) if channels == 1 else given[..., :3]
    return numpy.concatenate([colours, given[..., 3:] if channels == 4 else numpy.full((height, width, 1), 255, numpy.uint8)], 2)
