"""``trim``: where the picture begins behind a border of one colour. A look at the pixels, made before the plan is final.

A pixel is border where no channel is further than the distance (of 255) from the colour of the corner at the left and top. Colours are those of
the file; transparent pixels count as black without weight, whatever colour they hide. What is border everywhere is no border: such a picture stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PIL import Image, ImageChops

from backend.codec.geometry import IntBox
from backend.codec.image.steps.mode import as_scalable

OnShare = Callable[[float], None]
STRIP_PIXELS = 1_000_000
"""Looked at in one go, so that little memory is used, and progress is reported in between."""
MS_A_MEGAPIXEL = 12.0
"""As in ``stage_costs``."""


class Trimmer:
    """Of one picture, or of all frames of an animation: what is border in each of them, by the corner of the first."""

    def __init__(self, box: IntBox, corner: IntBox, distance: int) -> None:
        """``box`` is the part that is looked at, ``corner`` its first pixel, both as stored."""
        self._box, self._corner = box, corner
        self._is_far = [255 * (value > distance) for value in range(256)]
        self._colour: Image.Image | None = None
        self._found: IntBox | None = None

    @property
    def kept(self) -> IntBox:
        """The part behind the border, as stored."""
        return self._found or self._box

    def look(self, image: Image.Image, on_share: OnShare) -> None:
        if self._colour is None:
            self._colour = _comparable(image.crop(self._corner))
        bottom = self._box[3]
        for box in self._strips():
            strip = _comparable(image.crop(box))
            far = self._far_box(strip, self._colour.resize(strip.size))
            if far is not None:
                self._found = _union(self._found, (box[0] + far[0], box[1] + far[1], box[0] + far[2], box[1] + far[3]))
            on_share((box[3] - self._box[1]) / (bottom - self._box[1]))

    def _far_box(self, strip: Image.Image, colour: Image.Image) -> IntBox | None:
        difference = ImageChops.difference(strip, colour)
        return difference.point(self._is_far * len(difference.getbands())).getbbox(alpha_only=False)

    def _strips(self) -> Iterator[IntBox]:
        left, top, right, bottom = self._box
        rows = max(1, STRIP_PIXELS // (right - left))
        return ((left, each, right, min(bottom, each + rows)) for each in range(top, bottom, rows))


def _comparable(image: Image.Image) -> Image.Image:
    """In a mode that all frames of an animation have in common."""
    image = as_scalable(image)
    if image.mode in ("L", "LA", "RGB", "RGBA"):
        return image.convert("RGBA").convert("RGBa")
    return image


def _union(one: IntBox | None, other: IntBox) -> IntBox:
    return other if one is None else (min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3]))
