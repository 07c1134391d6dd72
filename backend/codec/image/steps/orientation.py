"""Upright, and turned and mirrored as the options say: all in one go."""

from __future__ import annotations

from PIL import Image

from backend.codec.image.orientation import UPRIGHT, orient
from backend.codec.image.steps.step import OnShare, Plan, Step, Traits


class Orient(Step):
    name, place = "orientation", 40
    moves_only = True

    def is_idle(self, traits: Traits, plan: Plan) -> bool:
        return plan.orientation == UPRIGHT

    def apply(self, image: Image.Image, plan: Plan, on_share: OnShare) -> Image.Image:
        return orient(image, plan.orientation)
