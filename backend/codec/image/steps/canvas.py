"""The scaled picture cropped to the canvas, or set on it."""

from __future__ import annotations

from PIL import Image, ImageColor

from backend.codec.image import saliency
from backend.codec.image.steps.step import OnShare, Plan, Step, Traits


class Canvas(Step):
    name, place = "canvas", 50
    moves_only = True

    def is_idle(self, traits: Traits, plan: Plan) -> bool:
        return plan.geometry.canvas == plan.geometry.scaled

    def apply(self, image: Image.Image, plan: Plan, on_share: OnShare) -> Image.Image:
        geometry = saliency.placed(image, plan.geometry, plan.seeks) if plan.seeks else plan.geometry
        width, height = geometry.canvas
        if geometry.left <= 0 and geometry.top <= 0 and image.width >= width and image.height >= height:
            return image.crop((-geometry.left, -geometry.top, width - geometry.left, height - geometry.top))
        is_opaque = plan.options.background.endswith("ff") and image.mode in ("L", "RGB")
        mode = "RGB" if is_opaque else "RGBA"
        canvas = Image.new(mode, geometry.canvas, ImageColor.getcolor(plan.options.background, mode))
        canvas.paste(image.convert(mode), (geometry.left, geometry.top))
        return canvas
