"""``sharpen``: what a Gaussian of this sigma takes from the lightness is added to it, in gamma light, by the curve of libvips' ``sharpen``.

Small differences, which are grain, stay. Larger ones are added three times, up to a bound, which is lower for what gets brighter: there, halos show.
Colours stay: red, green and blue change by the same.
"""

from __future__ import annotations

from PIL import Image, ImageChops, ImageFilter

from backend.codec.image.steps.step import OnShare, Plan, Step, Traits
from backend.codec.image.strips import filtered, gaussian_margin

STEPS_A_UNIT = 2.55
"""Of 255, in one of the 100 units of lightness that libvips counts in."""
GRAIN, SLOPE, MAX_BRIGHTER, MAX_DARKER = 2.0, 3.0, 10.0, 20.0
"""libvips' defaults ``x1``, ``m2``, ``y2`` and ``y3``; its ``m1`` is 0."""


def _curve(bound: float) -> list[int]:
    """How much is added, by the difference."""
    return [round(min(SLOPE * max(0.0, value - GRAIN * STEPS_A_UNIT), bound * STEPS_A_UNIT)) for value in range(256)]


_BRIGHTER, _DARKER = _curve(MAX_BRIGHTER), _curve(MAX_DARKER)


class Sharpen(Step):
    name, place = "sharpen", 65
    ms_a_megapixel = 15.0

    def is_idle(self, traits: Traits, plan: Plan) -> bool:
        return plan.options.sharpen == 0

    def apply(self, image: Image.Image, plan: Plan, on_share: OnShare) -> Image.Image:
        sigma = plan.options.sharpen
        return filtered(image, gaussian_margin(sigma), lambda strip: _sharpened(strip, sigma), on_share)


def _sharpened(image: Image.Image, sigma: float) -> Image.Image:
    lightness = _lightness(image)
    blurred = lightness.filter(ImageFilter.GaussianBlur(sigma))
    brighter = ImageChops.subtract(lightness, blurred).point(_BRIGHTER)
    darker = ImageChops.subtract(blurred, lightness).point(_DARKER)
    bands = image.split()
    colours = bands[:-1] if image.mode in ("LA", "RGBA") else bands
    changed = [ImageChops.subtract(ImageChops.add(band, brighter), darker) for band in colours]
    return Image.merge(image.mode, (*changed, *bands[len(colours) :]))


def _lightness(image: Image.Image) -> Image.Image:
    """Transparent pixels have no weight."""
    if image.mode in ("LA", "RGBA"):
        return image.convert("LA").convert("La").getchannel(0)
    return image.convert("L")
