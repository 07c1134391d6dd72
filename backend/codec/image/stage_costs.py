"""What each stage of a conversion costs, as weights, so that a percent of the whole is a share of its time.

Measured with ``bench/codec.py`` on one machine, in milliseconds a megapixel: only their ratios count.
"""

from __future__ import annotations

from PIL import Image

from backend.codec.encoders.encoder import Encoder
from backend.codec.image import colour
from backend.codec.image.steps.step import Plan
from backend.core.conversion import Shape, Stage

TRANSPARENT = frozenset(("RGBA", "LA", "PA"))
READ_AS_DECODED = frozenset(("JPEG", "MPO", "PNG", "GIF", "BMP", "DIB"))
"""Formats (Pillow's names) that are read bit by bit: the share read is the share decoded. Others are read whole before they are decoded."""

DECODE_MS = {"jpeg": 6.0, "png": 14.0, "gif": 10.0, "webp": 14.0, "tiff": 6.0, "bmp": 3.0, "avif": 25.0, "heic": 40.0, "ico": 10.0}
UNKNOWN_DECODE_MS = 10.0
PROGRESSIVE_MS = 20.0
"""A JPEG that is read as a whole before its first row."""
IMPORT_MS = 2.5
"""Into the encoder's planes: a part of ``encode``, or of ``decode`` on the fast path."""
TRANSFORM_MS = 1.0
RESIZE_MS = 8.0
COLOURS_MS = 9.0
"""Through an ICC profile that moves colours."""


def of_still(shape: Shape, image: Image.Image, plan: Plan, encoder: Encoder) -> dict[Stage, float]:
    """``image`` is opened, and reduced if it will be."""
    return {
        "decode": _decode_ms(shape, image),
        "transform": _transform_ms(image, plan),
        "encode": encoder.cost_ms(plan.options, plan.geometry.pixels, has_alpha=image.mode in TRANSPARENT or "transparency" in image.info),
    }


def of_fast_path(shape: Shape, image: Image.Image, plan: Plan, encoder: Encoder) -> dict[Stage, float]:
    """Decoding, colours and the import are done strip by strip, so all of it is the stage ``decode``."""
    costs = of_still(shape, image, plan, encoder)
    import_ms = IMPORT_MS * image.width * image.height / 1e6
    return {"decode": costs["decode"] + costs["transform"] + import_ms, "transform": 0.0, "encode": costs["encode"] - import_ms}


def _decode_ms(shape: Shape, image: Image.Image) -> float:
    a_megapixel = PROGRESSIVE_MS if image.info.get("progressive") else DECODE_MS.get(shape.format, UNKNOWN_DECODE_MS)
    return a_megapixel * image.width * image.height / 1e6


def _transform_ms(image: Image.Image, plan: Plan) -> float:
    is_scaled = plan.geometry.scaled not in (image.size, image.size[::-1])
    colours_ms = COLOURS_MS * plan.geometry.pixels / 1e6 if colour.changes_colours(image.mode, plan.profile) else 0.0
    return (RESIZE_MS if is_scaled else TRANSFORM_MS) * image.width * image.height / 1e6 + colours_ms
