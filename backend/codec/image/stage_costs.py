"""What each stage costs, relatively: so that a percent of the whole is a share of its time. Measured, in milliseconds a megapixel."""

from __future__ import annotations

from PIL import Image

from backend.codec.geometry import Geometry
from backend.codec.image import colour
from backend.codec.progress import curves
from backend.core.conversion import Shape, Stage
from backend.core.options import Options

TRANSPARENT = frozenset(("RGBA", "LA", "PA"))
READ_AS_DECODED = frozenset(("JPEG", "MPO", "PNG", "GIF", "BMP", "DIB"))
"""Pillow's decoders that take the file bit by bit: the share read is the share decoded. Others take it whole, and report frames or nothing."""

DECODE_MS = {"jpeg": 6.0, "png": 14.0, "gif": 10.0, "webp": 14.0, "tiff": 6.0, "bmp": 3.0, "avif": 25.0, "heic": 40.0, "ico": 10.0}
PROGRESSIVE_MS = 20.0
"""A JPEG that is read as a whole before its first row."""
IMPORT_MS = 2.5
"""Into libwebp's planes: a part of ``encode``, or of ``decode`` where that goes straight into them."""
TRANSFORM_MS = 1.0
RESIZE_MS = 8.0
COLOURS_MS = 9.0
"""Through an ICC profile that moves colours."""


def of_still(shape: Shape, image: Image.Image, geometry: Geometry, options: Options) -> dict[Stage, float]:
    """``image`` is opened, and reduced if it will be."""
    read_megapixels = image.width * image.height / 1e6
    is_scaled = geometry.scaled not in (image.size, image.size[::-1])
    colours_ms = COLOURS_MS * geometry.pixels / 1e6 if colour.moves_colours(image.mode, image.info.get("icc_profile")) else 0.0
    has_alpha = image.mode in TRANSPARENT or "transparency" in image.info
    return {
        "decode": (PROGRESSIVE_MS if image.info.get("progressive") else DECODE_MS.get(shape.format, 10.0)) * read_megapixels,
        "transform": (RESIZE_MS if is_scaled else TRANSFORM_MS) * read_megapixels + colours_ms,
        "encode": curves.cost_ms(options, geometry.pixels, has_alpha=has_alpha),
    }


def of_straight(shape: Shape, image: Image.Image, options: Options) -> dict[Stage, float]:
    """Where rows go from the decoder through their colours into libwebp's planes at once."""
    costs = of_still(shape, image, Geometry(image.size, image.size), options)
    import_ms = IMPORT_MS * image.width * image.height / 1e6
    return {"decode": costs["decode"] + costs["transform"] + import_ms, "transform": 0.0, "encode": costs["encode"] - import_ms}
