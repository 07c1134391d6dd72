"""A mode that can be scaled: no palette, no bilevel, no 16 bits. CMYK and Lab stay for the step ``colour``."""

from __future__ import annotations

from PIL import Image

from backend.codec.image.sixteen_bit import SIXTEEN_TO_EIGHT
from backend.codec.image.steps.step import OnShare, Plan, Step, Traits

SCALABLE = ("L", "LA", "RGB", "RGBA", "CMYK", "LAB")
_SCALABLE_FROM = {"1": "L", "I": "L", "F": "L", "La": "LA", "RGBa": "RGBA"}
_WITH_ALPHA = {"1": "LA", "L": "LA", "RGB": "RGBA"}
"""For one colour that is transparent. Grey stays grey, which its profile is for."""


class ScalableMode(Step):
    name, place = "mode", 10

    def is_idle(self, traits: Traits, plan: Plan) -> bool:
        return is_scalable(traits)

    def apply(self, image: Image.Image, plan: Plan, on_share: OnShare) -> Image.Image:
        return as_scalable(image)


def is_scalable(traits: Traits) -> bool:
    return traits.mode in SCALABLE and not (traits.has_colour_key and traits.mode in ("L", "RGB"))


def as_scalable(image: Image.Image) -> Image.Image:
    if is_scalable(Traits.of(image)):
        return image
    if image.mode in ("P", "PA"):
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode.startswith("I;16"):
        return image.convert("I").point(SIXTEEN_TO_EIGHT, "L")
    if "transparency" in image.info and image.mode in _WITH_ALPHA:
        return image.convert(_WITH_ALPHA[image.mode])
    return image.convert(_SCALABLE_FROM.get(image.mode, "RGB"))
