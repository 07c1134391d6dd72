"""What each stage costs, relatively: so that a percent of the whole is a share of its time. Measured, in milliseconds a megapixel."""

from __future__ import annotations

from PIL import Image

from backend.codec.geometry import Geometry
from backend.codec.still import is_lossless
from backend.core.conversion import Shape, Stage
from backend.core.options import Options

READ_AS_DECODED = frozenset(("JPEG", "MPO", "PNG", "GIF", "BMP", "DIB"))
"""Pillow's decoders that take the file bit by bit: the share read is the share decoded. Others take it whole, and report frames or nothing."""

DECODE_MS = {"jpeg": 6.0, "png": 14.0, "gif": 10.0, "webp": 12.0, "tiff": 6.0, "bmp": 3.0}
TRANSFORM_MS = 1.0
RESIZE_MS = 8.0
LOSSY_MS = (24.0, 28.0, 36.0, 75.0, 75.0, 84.0, 157.0)
LOSSLESS_MS = (60.0, 250.0, 300.0, 320.0, 350.0, 450.0, 600.0)


def of_still(shape: Shape, image: Image.Image, geometry: Geometry, options: Options) -> dict[Stage, float]:
    """``image`` is opened, and reduced if it will be."""
    read_megapixels = image.width * image.height / 1e6
    is_scaled = geometry.scaled not in (image.size, image.size[::-1])
    encode_ms = LOSSLESS_MS if is_lossless(options) else LOSSY_MS
    return {
        "decode": DECODE_MS.get(shape.format, 10.0) * read_megapixels,
        "transform": (RESIZE_MS if is_scaled else TRANSFORM_MS) * read_megapixels,
        "encode": encode_ms[options.method] * geometry.pixels / 1e6,
    }
