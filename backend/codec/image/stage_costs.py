"""What each stage of a conversion costs, as weights, so that a percent of the whole is a share of its time.

Measured with ``bench/codec.py`` on one machine, in milliseconds a megapixel: only their ratios count.
"""

from __future__ import annotations

from backend.codec.encoders.encoder import Encoder
from backend.codec.image import steps, trim
from backend.codec.image.steps.step import Plan, Traits
from backend.core.conversion import Shape, Stage

TRANSPARENT = frozenset(("RGBA", "LA", "PA"))

DECODE_MS = {"jpeg": 6.0, "png": 14.0, "gif": 10.0, "webp": 14.0, "tiff": 6.0, "bmp": 3.0, "avif": 25.0, "heic": 40.0, "ico": 10.0}
UNKNOWN_DECODE_MS = 10.0
FRAME_MS = 60.0
"""To encode a frame of an animation, about."""
PROGRESSIVE_MS = 20.0
"""A JPEG that is read as a whole before its first row."""
IMPORT_MS = 2.5
"""Into the encoder's planes: a part of ``encode``, or of ``decode`` on the fast path."""
TRANSFORM_MS = 1.0
"""Of any picture; each step that is not idle adds its own."""


def of_still(shape: Shape, traits: Traits, plan: Plan, encoder: Encoder, *, is_progressive: bool = False) -> dict[Stage, float]:
    """``traits`` are the picture's once it is reduced, if it will be."""
    return {
        "decode": _decode_ms(shape, traits, is_progressive=is_progressive),
        "transform": _transform_ms(traits, plan) + _trim_ms(traits, plan),
        "encode": encoder.cost_ms(plan.options, plan.geometry.pixels, has_alpha=traits.mode in TRANSPARENT or traits.has_colour_key),
    }


def of_fast_path(shape: Shape, traits: Traits, plan: Plan, encoder: Encoder, *, is_progressive: bool) -> dict[Stage, float]:
    """Decoding, scaling, colours and the import are done strip by strip, so all of it is the stage ``decode``."""
    costs = of_still(shape, traits, plan, encoder, is_progressive=is_progressive)
    import_ms = IMPORT_MS * plan.geometry.pixels / 1e6
    return {"decode": costs["decode"] + costs["transform"] + import_ms, "transform": 0.0, "encode": costs["encode"] - import_ms}


def _megapixels(traits: Traits) -> float:
    return traits.size[0] * traits.size[1] / 1e6


def _decode_ms(shape: Shape, traits: Traits, *, is_progressive: bool) -> float:
    return (PROGRESSIVE_MS if is_progressive else DECODE_MS.get(shape.format, UNKNOWN_DECODE_MS)) * _megapixels(traits)


def _transform_ms(traits: Traits, plan: Plan) -> float:
    return TRANSFORM_MS * _megapixels(traits) + sum(steps.costs_ms(traits, plan).values())


def _trim_ms(traits: Traits, plan: Plan) -> float:
    """A part of the stage ``transform``, before its steps."""
    return trim.MS_A_MEGAPIXEL * _megapixels(traits) if plan.is_open else 0.0


def share_of_trim(traits: Traits, plan: Plan) -> float:
    """Of the stage ``transform``."""
    trim_ms = _trim_ms(traits, plan)
    return trim_ms / (trim_ms + _transform_ms(traits, plan))


def of_animation(shape: Shape, traits: Traits, plan: Plan) -> dict[Stage, float]:
    """Frames are decoded while they are encoded, so all of it is the stage ``encode``, but for a look at all frames before."""
    look_ms = (DECODE_MS.get(shape.format, UNKNOWN_DECODE_MS) + trim.MS_A_MEGAPIXEL) * _megapixels(traits) if plan.is_open else 0.0
    return {"decode": look_ms, "encode": look_ms + FRAME_MS * max(plan.geometry.pixels / 1e6, 1e-6)}
