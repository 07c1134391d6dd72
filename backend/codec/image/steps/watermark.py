"""``watermark``: the operator's mark on the finished canvas, in gamma light, as browsers, libvips and imgproxy compose.

Over a transparent picture it is composed exactly, in straight alpha. A grey picture with a grey mark stays grey.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from PIL import Image

from backend.codec.geometry import Size, offsets_on
from backend.codec.image.composition import draw_over
from backend.codec.image.steps.step import Mark, OnShare, Plan, Step, Traits
from backend.core.watermark import TILE

STRIP_PIXELS = 1_000_000
"""Drawn in one go: a mark may be as large as the picture."""
MARK_MS_A_MEGAPIXEL = 22.0
"""To decode and scale the mark."""
Piece = tuple[Image.Image, int, int]
"""With its left and top in the picture, over whose edges it may reach."""


class Watermark(Step):
    name, place = "watermark", 70
    ms_a_megapixel = 2.0

    def once_ms(self, plan: Plan) -> float:
        return MARK_MS_A_MEGAPIXEL * plan.mark.pixels / 1e6 if plan.mark is not None else 0.0

    def is_idle(self, traits: Traits, plan: Plan) -> bool:
        return plan.options.watermark is None

    def apply(self, image: Image.Image, plan: Plan, on_share: OnShare) -> Image.Image:
        mark = plan.mark
        assert mark is not None, "an encoder reads the watermark that the options name"
        if image.mode in ("L", "LA") and not mark.is_grey:
            image = image.convert("RGB" if image.mode == "L" else "RGBA")
        for piece, left, top in _pieces(image.size, mark):
            _draw(piece, image, left, top)
            on_share(min(1.0, (top + piece.height) / image.height))
        return image


def _draw(piece: Image.Image, image: Image.Image, left: int, top: int) -> None:
    box = left, top, min(image.width, left + piece.width), min(image.height, top + piece.height)
    piece = piece.crop((0, 0, box[2] - left, box[3] - top))
    if image.mode == "L":
        image.paste(piece.getchannel("R"), box, piece.getchannel("A"))
    elif image.mode == "LA":
        below = image.crop(box).convert("RGBA")
        draw_over(piece, below, (0, 0, *below.size))
        image.paste(below.convert("LA"), box)
    else:
        draw_over(piece, image, box)


def _pieces(picture: Size, mark: Mark) -> Iterator[Piece]:
    """From top to bottom, but for large marks beside each other."""
    size = mark.size_on(picture)
    if mark.placement.place == TILE and size[0] * size[1] <= STRIP_PIXELS:
        yield from _bands(picture, size, mark)
        return
    rows = max(1, STRIP_PIXELS // size[0])
    for left, top in _corners(picture, size, mark):
        for first in range(0, min(size[1], picture[1] - top), rows):
            yield mark.rows(size, first, min(size[1], first + rows)), left, top + first


def _corners(picture: Size, size: Size, mark: Mark) -> Iterator[tuple[int, int]]:
    margin = mark.margin_on(picture)
    if mark.placement.place == TILE:
        for top in range(margin, picture[1], size[1] + margin):
            for left in range(margin, picture[0], size[0] + margin):
                yield left, top
        return
    room = picture[0] - size[0] - 2 * margin, picture[1] - size[1] - 2 * margin
    left, top = offsets_on((max(0, room[0]), max(0, room[1])), mark.placement.place)
    yield min(margin, picture[0] - size[0]) + left, min(margin, picture[1] - size[1]) + top


def _bands(picture: Size, size: Size, mark: Mark) -> Iterator[Piece]:
    """Small marks are laid out as a band of rows, and that is drawn down the picture."""
    margin = mark.margin_on(picture)
    unit = Image.new("RGBA", (size[0] + margin, size[1] + margin), (0, 0, 0, 0))
    unit.paste(mark.rows(size, 0, size[1]), (margin, margin))
    count = max(1, min(STRIP_PIXELS // (picture[0] * unit.height), math.ceil(picture[1] / unit.height)))
    band = _repeated(unit, (picture[0], count * unit.height))
    for top in range(0, picture[1], band.height):
        yield band, 0, top


def _repeated(unit: Image.Image, size: Size) -> Image.Image:
    """What is there is doubled until it fills the size."""
    result = Image.new("RGBA", size, (0, 0, 0, 0))
    result.paste(unit, (0, 0))
    across, down = unit.size
    while across < size[0]:
        result.paste(result.crop((0, 0, across, down)), (across, 0))
        across *= 2
    while down < size[1]:
        result.paste(result.crop((0, 0, size[0], down)), (0, down))
        down *= 2
    return result
