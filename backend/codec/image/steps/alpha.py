"""A picture with transparency on white, where the output format has none."""

from __future__ import annotations

from PIL import Image

from backend.codec.image.steps.step import OnShare, Plan, Step, Traits


class OnWhite(Step):
    name, place = "alpha", 80

    def is_idle(self, traits: Traits, plan: Plan) -> bool:
        return plan.output.has_alpha or traits.mode not in ("LA", "RGBA")

    def apply(self, image: Image.Image, plan: Plan, on_share: OnShare) -> Image.Image:
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("RGB")
