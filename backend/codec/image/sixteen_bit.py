"""Samples of 16 bits, kept as two pictures of their high and low bytes, or reduced to 8 bits.

Pillow keeps the high byte, which is up to one step too dark or too bright, so stills are rounded to nearest.
Browsers keep the high byte too; frames of an animation are reduced as there, since they are mixed afterwards, where a step becomes two.

Colour is decoded a second time with the bytes of each sample exchanged, so that Pillow keeps the low ones; grey with alpha is decoded once, as
if its four bytes were red, green, blue and alpha. High and low together say which way to round: 65535 / 255 = 257, and
value / 257 = high + (low − high) / 257. They also tell the one colour that a PNG may declare transparent (tRNS), which has 16 bits too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Literal

from PIL import Image, ImageChops, ImageFile

from backend.codec.encoders.encoder import BytePair

Reduction = Literal["nearest", "high byte"]
SIXTEEN_TO_EIGHT = [round(value / 257) for value in range(65536)]
"""65535 / 255 = 257, rounded."""
GREYS: dict[Reduction, list[int]] = {"nearest": SIXTEEN_TO_EIGHT, "high byte": [value >> 8 for value in range(65536)]}
EXCHANGED = {f"{mode};16{order}": f"{mode};16{other}" for mode in ("RGB", "RGBA") for order, other in ("BL", "LB", "NB")}
"""Raw modes of Pillow's decoders whose samples have 16 bits (N: the machine's order, little-endian on every machine that can be sealed)."""
_HALF = 129
"""More than half of 257."""


_HIGH, _LOW = [value >> 8 for value in range(65536)], [value & 255 for value in range(65536)]
_OPAQUE = 255


def pair_of_grey(image: Image.Image, key: int | None = None) -> BytePair:
    """From mode I;16. ``key`` is the value that is transparent."""
    values = image.convert("I")
    pair = BytePair(values.point(_HIGH, "L"), values.point(_LOW, "L"))
    if key is None:
        return pair
    alpha = values.point([_OPAQUE * (value != key) for value in range(65536)], "L")
    return BytePair(Image.merge("LA", (pair.high, alpha)), Image.merge("LA", (pair.low, alpha)))


def pair_of_grey_with_alpha(image: Image.Image) -> BytePair:
    """From its four bytes, decoded as red, green, blue and alpha."""
    grey, grey_low, alpha, alpha_low = image.split()
    return BytePair(Image.merge("LA", (grey, alpha)), Image.merge("LA", (grey_low, alpha_low)))


def pair_of_colour(high: Image.Image, low: Image.Image, key: tuple[int, ...] | None = None) -> BytePair:
    """From two decodes that differ only in the bytes kept. ``key`` is the colour that is transparent."""
    if key is not None:
        alpha = ImageChops.invert(_where(high, low, key))
        high.putalpha(alpha)
        low.putalpha(alpha)
    return BytePair(high, low)


def is_colour(image: Image.Image) -> bool:
    """RGB or RGBA of 16 bits; ``image`` is opened and not read."""
    return isinstance(image, ImageFile.ImageFile) and bool(image.tile) and all(_raw_mode(tile) in EXCHANGED for tile in image.tile)


def exchange_bytes(image: Image.Image) -> None:
    """Have the low bytes decoded instead of the high ones."""
    assert isinstance(image, ImageFile.ImageFile)
    image.tile = [tile._replace(args=_with(tile.args, EXCHANGED[_raw_mode(tile)])) for tile in image.tile]


def merge_bytes(image: Image.Image, reduction: Reduction) -> Image.Image:
    """Grey with alpha of 8 bits, from its four bytes, decoded as red, green, blue and alpha."""
    grey, grey_low, alpha, alpha_low = image.split()
    result = Image.merge("LA", (_reduce(grey, grey_low, reduction), _reduce(alpha, alpha_low, reduction)))
    result.info = dict(image.info)
    return result


def round_to_eight_bits(high: Image.Image, low: Image.Image, reduction: Reduction = "nearest") -> Image.Image:
    """From two decodes that differ only in the bytes kept."""
    result = _reduce(high, low, reduction)
    result.info = dict(high.info)
    key = result.info.pop("transparency", None)
    if isinstance(key, tuple) and len(key) == len(high.getbands()) == 3:
        result.putalpha(ImageChops.invert(_where(high, low, key)))
    return result


def _where(high: Image.Image, low: Image.Image, key: tuple[int, ...]) -> Image.Image:
    """White where a pixel has this colour of 16 bits."""
    is_high, is_low = (
        [band.point([255 * (value == byte) for value in range(256)]) for band, byte in zip(image.split(), key_bytes, strict=True)]
        for image, key_bytes in ((high, [each >> 8 for each in key]), (low, [each & 255 for each in key]))
    )
    return reduce(ImageChops.darker, is_high + is_low)


def _reduce(high: Image.Image, low: Image.Image, reduction: Reduction) -> Image.Image:
    return _nearest(high, low) if reduction == "nearest" else high.copy()


def _nearest(high: Image.Image, low: Image.Image) -> Image.Image:
    up = _steps(ImageChops.subtract(low, high))
    down = _steps(ImageChops.subtract(high, low))
    return ImageChops.subtract(ImageChops.add(high, up), down)


def _steps(difference: Image.Image) -> Image.Image:
    is_step: Callable[[int], int] = lambda value: int(value >= _HALF)  # noqa: E731
    return difference.point(is_step)


def _raw_mode(tile: ImageFile._Tile) -> str:
    return str(tile.args if isinstance(tile.args, str) else tile.args[0] if tile.args else "")


def _with(args: object, raw_mode: str) -> tuple[object, ...] | str:
    return raw_mode if isinstance(args, str) or not isinstance(args, tuple) else (raw_mode, *args[1:])
