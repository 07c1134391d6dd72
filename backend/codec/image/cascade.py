"""One picture in several sizes: each is scaled from one that is there already, where that loses nothing that shows.

The largest comes from the picture as it was decoded. A smaller one comes from the smallest that is at least twice as long both ways: Lanczos on what
Lanczos left of twice the size differs from Lanczos on all pixels by less than any eye sees (``docs/internals/codec``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from PIL import Image

from backend.codec.geometry import Size
from backend.codec.image import steps
from backend.codec.image.orientation import UPRIGHT, as_stored
from backend.codec.image.steps.step import Plan, Traits

MIN_RATIO = 2.0
"""Measured with SSIMULACRA2 against each size scaled from all pixels: ``python -m bench.codec_variants --look``."""


@dataclass(slots=True)
class _Sized:
    """Upright and sRGB, so that of a plan for it the canvas is left to do."""

    image: Image.Image
    size: Size


class Cascade:
    """``decoded`` is used up. ``plan`` is that of the largest size: what is done before scaling is the same for all."""

    def __init__(self, decoded: Image.Image, plan: Plan) -> None:
        self._root: Image.Image = steps.without_scaling(decoded, plan)
        left, top, right, bottom = plan.box or (0, 0, *self._root.size)
        self._whole = as_stored((round(right - left), round(bottom - top)), plan.orientation)
        self._made: dict[Size, _Sized] = {}

    def make(self, plans: Iterable[Plan]) -> Iterable[Size]:
        """Scale the picture to the sizes of all plans, the largest first; each size as soon as it is there."""
        by_size = {plan.geometry.scaled: plan for plan in plans}
        for size in sorted(by_size, key=lambda each: each[0] * each[1], reverse=True):
            self._make(size, by_size[size])
            yield size
        if all(each.image is not self._root for each in self._made.values()):
            self._root.close()

    def _make(self, size: Size, plan: Plan) -> None:
        parent = self._parent(size)
        if parent is not None:
            image = steps.scaled(parent.image, upright(plan))
        elif steps.is_scaled(Traits.of(self._root), plan):
            image = steps.scaled(self._root, plan)
        else:
            image = self._root = steps.consumed(self._root, plan)
        self._made[size] = _Sized(image, size)

    def _parent(self, size: Size) -> _Sized | None:
        """None where it has to be the picture itself."""
        fitting = [each for each in self._made.values() if self._fits(each, size)]
        return min(fitting, key=lambda each: each.size[0] * each.size[1], default=None)

    def _fits(self, made: _Sized, size: Size) -> bool:
        """The picture in its own size, once it is upright and sRGB, is as good as before. One that was enlarged is not."""
        if made.image is self._root:
            return True
        sides = zip(made.size, size, self._whole, strict=True)
        return all(whole >= have >= MIN_RATIO * want for have, want, whole in sides)

    def image(self, size: Size) -> Image.Image:
        """One that was made; it stays the cascade's."""
        return self._made[size].image

    def take(self, size: Size) -> Image.Image:
        """The same for the last time: it is the caller's now."""
        return self._made.pop(size).image


def upright(plan: Plan) -> Plan:
    """What of ``plan`` is left to do with a picture that is sRGB and upright, and of which the part that is used was cut out."""
    return replace(plan, box=None, orientation=UPRIGHT, profile=None)
