"""What each stage costs, relatively: so that a percent of the whole is a share of its time. Measured, in milliseconds a megapixel."""

from __future__ import annotations

from PIL import Image

from backend.codec import curves
from backend.codec.geometry import Geometry
from backend.core.conversion import Shape, Stage
from backend.core.options import Options

TRANSPARENT = frozenset(("RGBA", "LA", "PA"))
READ_AS_DECODED = frozenset(("JPEG", "MPO", "PNG", "GIF", "BMP", "DIB"))
"""Pillow's decoders that take the file bit by bit: the share read is the share decoded. Others take it whole, and report frames or nothing."""

DECODE_MS = {"jpeg": 6.0, "png": 14.0, "gif": 10.0, "webp": 14.0, "tiff": 6.0, "bmp": 3.0, "avif": 25.0, "heic": 40.0, "ico": 10.0}
TRANSFORM_MS = 1.0
RESIZE_MS = 8.0
ENCODE_MS: dict[str, tuple[float, ...]] = {
    "lossy": (26, 31, 40, 84, 84, 97, 190),
    "alpha": (20, 25, 26, 49, 54, 57, 540),
    "sharp": (71, 81, 86, 131, 130, 145, 261),
    "lossless": (310, 556, 596, 596, 575, 611, 619),
    "near_lossless": (290, 973, 989, 1044, 1016, 1086, 1192),
}
"""By kind and method, as ``curves`` has them and from the same runs."""


def of_still(shape: Shape, image: Image.Image, geometry: Geometry, options: Options) -> dict[Stage, float]:
    """``image`` is opened, and reduced if it will be."""
    read_megapixels = image.width * image.height / 1e6
    is_scaled = geometry.scaled not in (image.size, image.size[::-1])
    kind = curves.kind(options, has_alpha=image.mode in TRANSPARENT or "transparency" in image.info)
    return {
        "decode": DECODE_MS.get(shape.format, 10.0) * read_megapixels,
        "transform": (RESIZE_MS if is_scaled else TRANSFORM_MS) * read_megapixels,
        "encode": ENCODE_MS[kind][options.method] * geometry.pixels / 1e6,
    }
