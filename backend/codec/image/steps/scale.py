"""Scaling with Lanczos, in gamma light, to the size that the geometry gives."""

from __future__ import annotations

from PIL import Image

from backend.codec.geometry import Box
from backend.codec.image import resampling
from backend.codec.image.orientation import as_stored
from backend.codec.image.steps.crop import outer_box
from backend.codec.image.steps.step import OnShare, Plan, Step, Traits


class Scale(Step):
    name, place = "scale", 20
    ms_a_megapixel = resampling.MS_A_MEGAPIXEL

    def is_idle(self, traits: Traits, plan: Plan) -> bool:
        return traits.size == as_stored(plan.geometry.scaled, plan.orientation)

    def apply(self, image: Image.Image, plan: Plan, on_share: OnShare) -> Image.Image:
        return resampling.resized(image, as_stored(plan.geometry.scaled, plan.orientation), _inner_box(plan))


def _inner_box(plan: Plan) -> Box | None:
    """The part that is used of what the step ``crop`` left."""
    outer = outer_box(plan)
    if plan.box is None or outer is None or plan.box == outer:
        return None
    left, top, right, bottom = plan.box
    return left - outer[0], top - outer[1], right - outer[0], bottom - outer[1]
