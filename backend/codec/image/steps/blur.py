"""``blur``: a Gaussian of this sigma, in pixels of the result.

In gamma light, as CSS, libvips and ImageMagick blur; transparent pixels have no weight.
"""

from __future__ import annotations

from PIL import Image, ImageFilter

from backend.codec.image.steps.step import OnShare, Plan, Step, Traits
from backend.codec.image.strips import extended, filtered, gaussian_margin

_PREMULTIPLIED = {"LA": "La", "RGBA": "RGBa"}


class Blur(Step):
    name, place = "blur", 60
    ms_a_megapixel = 25.0

    def is_idle(self, traits: Traits, plan: Plan) -> bool:
        return plan.options.blur is None

    def apply(self, image: Image.Image, plan: Plan, on_share: OnShare) -> Image.Image:
        sigma = plan.options.blur or 0.0
        return filtered(image, gaussian_margin(sigma), lambda strip: _blurred(strip, sigma), on_share)


def _blurred(image: Image.Image, sigma: float) -> Image.Image:
    margin = gaussian_margin(sigma)
    wider = extended(image.convert(_PREMULTIPLIED.get(image.mode, image.mode)), margin)
    blurred = wider.filter(ImageFilter.GaussianBlur(sigma))
    return blurred.crop((margin, margin, margin + image.width, margin + image.height)).convert(image.mode)
