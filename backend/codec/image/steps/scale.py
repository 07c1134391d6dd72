"""Scaling with Lanczos, to the size that the geometry gives."""

from __future__ import annotations

from PIL import Image

from backend.codec.image.orientation import as_stored
from backend.codec.image.steps.step import OnShare, Plan, Step, Traits


class Scale(Step):
    name, place = "scale", 20

    def is_idle(self, traits: Traits, plan: Plan) -> bool:
        return traits.size == as_stored(plan.geometry.scaled, plan.orientation)

    def apply(self, image: Image.Image, plan: Plan, on_share: OnShare) -> Image.Image:
        return image.resize(as_stored(plan.geometry.scaled, plan.orientation), Image.Resampling.LANCZOS, plan.box)
