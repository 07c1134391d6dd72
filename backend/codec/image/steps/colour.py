"""8-bit sRGB: grey, RGB, with alpha where there is transparency."""

from __future__ import annotations

from PIL import Image

from backend.codec.image import colour
from backend.codec.image.steps.step import OnShare, Plan, Step, Traits


class ToSrgb(Step):
    name, place = "colour", 30
    ms_a_megapixel = 9.0

    def is_idle(self, traits: Traits, plan: Plan) -> bool:
        return traits.mode not in ("CMYK", "LAB") and not colour.changes_colours(traits.mode, plan.profile)

    def apply(self, image: Image.Image, plan: Plan, on_share: OnShare) -> Image.Image:
        return colour.to_srgb(image, plan.profile, on_share)
