"""Images that the tests make: photographs enough for a codec to work on, of any size, always the same."""

from __future__ import annotations

import io
from functools import cache

import numpy
from PIL import Image


@cache
def photograph(width: int, height: int, seed: int = 7) -> bytes:
    """A JPEG with structure at every scale, so that an encoder takes its time."""
    random = numpy.random.default_rng(seed)
    picture = numpy.zeros((height, width, 3), numpy.float32)
    for scale in (4, 16, 64, 256):
        small = random.integers(0, 256, (height // scale + 2, width // scale + 2, 3)).astype(numpy.uint8)
        layer = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
        picture += numpy.asarray(layer, numpy.float32) * (0.1 + scale / 400)
    picture = 255 * (picture - picture.min()) / (picture.max() - picture.min())
    out = io.BytesIO()
    Image.fromarray(picture.astype(numpy.uint8)).save(out, "JPEG", quality=90)
    return out.getvalue()


def pillows_webp(data: bytes, quality: int = 80, method: int = 4) -> bytes:
    """What Pillow's own encoder makes of it."""
    out = io.BytesIO()
    Image.open(io.BytesIO(data)).convert("RGB").save(out, "WEBP", quality=quality, method=method)
    return out.getvalue()
