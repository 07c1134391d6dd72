"""What each stage of a conversion costs, as weights, so that a percent of the whole is a share of its time.

Measured with ``bench/codec.py`` on one machine, in milliseconds a megapixel: only their ratios count.
"""

from __future__ import annotations

from backend.codec.encoders.encoder import Encoder
from backend.codec.image import colour
from backend.codec.image.steps.step import Plan, Traits
from backend.core.conversion import Shape, Stage

TRANSPARENT = frozenset(("RGBA", "LA", "PA"))

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


def of_still(shape: Shape, traits: Traits, plan: Plan, encoder: Encoder, *, is_progressive: bool = False) -> dict[Stage, float]:
    """``traits`` are the picture's once it is reduced, if it will be."""
    return {
        "decode": _decode_ms(shape, traits, is_progressive=is_progressive),
        "transform": _transform_ms(traits, plan),
        "encode": encoder.cost_ms(plan.options, plan.geometry.pixels, has_alpha=traits.mode in TRANSPARENT or traits.has_colour_key),
    }


def of_fast_path(shape: Shape, traits: Traits, plan: Plan, encoder: Encoder, *, is_progressive: bool) -> dict[Stage, float]:
    """Decoding, colours and the import are done strip by strip, so all of it is the stage ``decode``."""
    costs = of_still(shape, traits, plan, encoder, is_progressive=is_progressive)
    import_ms = IMPORT_MS * _megapixels(traits)
    return {"decode": costs["decode"] + costs["transform"] + import_ms, "transform": 0.0, "encode": costs["encode"] - import_ms}


def _megapixels(traits: Traits) -> float:
    return traits.size[0] * traits.size[1] / 1e6


def _decode_ms(shape: Shape, traits: Traits, *, is_progressive: bool) -> float:
    return (PROGRESSIVE_MS if is_progressive else DECODE_MS.get(shape.format, UNKNOWN_DECODE_MS)) * _megapixels(traits)


def _transform_ms(traits: Traits, plan: Plan) -> float:
    is_scaled = plan.geometry.scaled not in (traits.size, traits.size[::-1])
    colours_ms = COLOURS_MS * plan.geometry.pixels / 1e6 if colour.changes_colours(traits.mode, plan.profile) else 0.0
    return (RESIZE_MS if is_scaled else TRANSFORM_MS) * _megapixels(traits) + colours_ms
