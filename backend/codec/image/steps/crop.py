"""``crop`` and ``trim``: the part of the picture that is used, cut out before anything else is done to the rest."""

from __future__ import annotations

import math

from PIL import Image

from backend.codec.geometry import IntBox
from backend.codec.image.steps.step import OnShare, Plan, Step, Traits


class Crop(Step):
    name, place = "crop", 5
    ms_a_megapixel = 0.5
    takes_reduced = True

    def is_idle(self, traits: Traits, plan: Plan) -> bool:
        return not plan.is_open and outer_box(plan) in (None, (0, 0, *traits.size))

    def apply(self, image: Image.Image, plan: Plan, on_share: OnShare) -> Image.Image:
        return image.crop(outer_box(plan))


def outer_box(plan: Plan) -> IntBox | None:
    """In whole pixels. Of a picture that was decoded smaller, pixels are used in part, which is left to the scaling."""
    if plan.box is None:
        return None
    left, top, right, bottom = plan.box
    return math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)
