"""Scale, colour, turn, place: in the order that touches the fewest pixels."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, ImageColor

from backend.codec.geometry import Geometry, Size
from backend.codec.image import colour
from backend.codec.image.decode import Box
from backend.codec.image.orientation import Turn, swaps_sides, turned
from backend.core.options import Options

OnShare = Callable[[float], None]
Step = Callable[[Image.Image], Image.Image]


def transformed(image: Image.Image, geometry: Geometry, turn: Turn, options: Options, on_share: OnShare, box: Box | None = None) -> Image.Image:
    """``geometry`` is upright, ``image`` as stored; ``box`` the part of it to scale. Metadata stays behind."""
    profile = image.info.get("icc_profile")
    steps: tuple[Step, ...] = (
        colour.working,
        lambda each: scaled(each, as_stored(geometry.scaled, turn), box),
        lambda each: colour.to_srgb(each, profile, lambda share: on_share((2 + share) / len(steps))),
        lambda each: turned(each, turn),
        lambda each: placed(each, geometry, options.background),
    )
    for done, step in enumerate(steps):
        on_share(done / len(steps))
        before, image = image, step(image)
        if before is not image:
            before.close()
    return image


def as_stored(size: Size, turn: Turn) -> Size:
    return (size[1], size[0]) if swaps_sides(turn) else size


def scaled(image: Image.Image, size: Size, box: Box | None = None) -> Image.Image:
    return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS, box)


def placed(image: Image.Image, geometry: Geometry, background: str) -> Image.Image:
    """Cropped to the canvas, or set on it."""
    width, height = geometry.canvas
    if image.size == geometry.canvas:
        return image
    if geometry.left <= 0 and geometry.top <= 0 and image.width >= width and image.height >= height:
        return image.crop((-geometry.left, -geometry.top, width - geometry.left, height - geometry.top))
    is_opaque = background.endswith("ff") and image.mode in ("L", "RGB")
    mode = "RGB" if is_opaque else "RGBA"
    canvas = Image.new(mode, geometry.canvas, ImageColor.getcolor(background, mode))
    canvas.paste(image.convert(mode), (geometry.left, geometry.top))
    return canvas
