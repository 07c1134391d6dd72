"""Colour of 16 bits a channel, rounded to 8. Pillow keeps the high byte, which is up to one step too dark or too bright.

The file is decoded a second time with the bytes of each sample exchanged, so that Pillow keeps the low ones; the two together say which way
to round: 65535 / 255 = 257, and value / 257 = high + (low − high) / 257.
"""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, ImageChops, ImageFile

EXCHANGED = {f"{mode};16{order}": f"{mode};16{other}" for mode in ("RGB", "RGBA") for order, other in ("BL", "LB", "NB")}
"""Raw modes of Pillow's decoders whose samples are 16 bits wide (N: the machine's order, little-endian on every machine that we seal)."""
_HALF = 129


def is_deep(image: Image.Image) -> bool:
    """``image`` is opened and not read."""
    return isinstance(image, ImageFile.ImageFile) and bool(image.tile) and all(_raw_mode(tile) in EXCHANGED for tile in image.tile)


def exchange_bytes(image: Image.Image) -> None:
    """Have the low bytes decoded."""
    assert isinstance(image, ImageFile.ImageFile)
    image.tile = [tile._replace(args=_with(tile.args, EXCHANGED[_raw_mode(tile)])) for tile in image.tile]


def rounded(high: Image.Image, low: Image.Image) -> Image.Image:
    """Of two decodes that differ in nothing but the bytes kept."""
    up = _steps(ImageChops.subtract(low, high))
    down = _steps(ImageChops.subtract(high, low))
    result = ImageChops.subtract(ImageChops.add(high, up), down)
    result.info = dict(high.info)
    return result


def _steps(difference: Image.Image) -> Image.Image:
    is_step: Callable[[int], int] = lambda value: int(value >= _HALF)  # noqa: E731
    return difference.point(is_step)


def _raw_mode(tile: ImageFile._Tile) -> str:
    return str(tile.args if isinstance(tile.args, str) else tile.args[0] if tile.args else "")


def _with(args: object, raw_mode: str) -> tuple[object, ...] | str:
    return raw_mode if isinstance(args, str) or not isinstance(args, tuple) else (raw_mode, *args[1:])
