"""A picture with transparency on the background asked for, where the output format has none. What of that is transparent too is white."""

from __future__ import annotations

from PIL import Image, ImageColor

from backend.codec.image.steps.step import OnShare, Plan, Step, Traits


class OnBackground(Step):
    name, place = "alpha", 80

    def is_idle(self, traits: Traits, plan: Plan) -> bool:
        return plan.output.has_alpha or traits.mode not in ("LA", "RGBA")

    def apply(self, image: Image.Image, plan: Plan, on_share: OnShare) -> Image.Image:
        ground = Image.new("RGBA", (1, 1), "white")
        ground.alpha_composite(Image.new("RGBA", (1, 1), ImageColor.getcolor(plan.options.background, "RGBA")))
        result = Image.alpha_composite(ground.resize(image.size), image.convert("RGBA"))
        is_grey = image.mode == "LA" and len(set(ground.convert("RGB").tobytes())) == 1
        return result.getchannel("R") if is_grey else result.convert("RGB")
