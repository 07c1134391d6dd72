"""The modes that encoders take: RGB, RGBA where there is transparency, and for some formats L and LA where there are no colours."""

from __future__ import annotations

from PIL import Image

from backend.codec.image.steps.step import OnShare, Plan, Step, Traits


class Layout(Step):
    name, place = "layout", 90
    moves_only = True

    def is_idle(self, traits: Traits, plan: Plan) -> bool:
        return traits.mode in ("RGB", "RGBA") or (plan.output.has_grey and traits.mode in ("L", "LA"))

    def apply(self, image: Image.Image, plan: Plan, on_share: OnShare) -> Image.Image:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
