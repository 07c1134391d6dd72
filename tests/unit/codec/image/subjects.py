"""The pictures of ``subjects.toml``, each with the centre of its subject. Photographs come from the corpus, where this machine has it."""

from __future__ import annotations

import colorsys
import math
import random
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageColor, ImageDraw, ImageFilter, ImageOps

from tests.unit.codec.conftest import CORPUS

ROWS = tomllib.loads(Path(__file__).with_name("subjects.toml").read_text())
SHORT_SIDE = 480
Labelled = tuple[Image.Image, tuple[float, float]]
"""A picture, and the centre of its subject in pixels."""


def labelled() -> Iterator[Labelled]:
    if CORPUS.is_dir():
        yield from (_photo(**row) for row in ROWS["photos"])
        yield from (_composed(**row) for row in ROWS["composed"])
    yield from (_drawn(number, **row) for number, row in enumerate(ROWS["drawn"]))


@cache
def _corpus(file: str) -> Image.Image:
    with Image.open(CORPUS / file) as image:
        image.draft("RGB", (1000, 1000))
        return image.convert("RGB")


def _part(file: str, box: list[float]) -> Image.Image:
    """Its shorter side has ``SHORT_SIDE`` pixels."""
    image = _corpus(file)
    part = image.crop((round(box[0] * image.width), round(box[1] * image.height), round(box[2] * image.width), round(box[3] * image.height)))
    scale = SHORT_SIDE / min(part.size)
    return part.resize((round(part.width * scale), round(part.height * scale)), Image.Resampling.LANCZOS)


def _photo(file: str, subject: list[float], box: list[float], mirrored: bool = False) -> Labelled:
    image = _part(file, box)
    x, y = (subject[0] - box[0]) / (box[2] - box[0]), (subject[1] - box[1]) / (box[3] - box[1])
    return (ImageOps.mirror(image), ((1 - x) * image.width, y * image.height)) if mirrored else (image, (x * image.width, y * image.height))


def _composed(file: str, part: list[float], on: str, under: list[float], at: list[float], height: float) -> Labelled:
    image, above = _part(on, under), _part(file, part)
    tall = round(height * image.height)
    above = above.resize((round(above.width * tall / above.height), tall), Image.Resampling.LANCZOS)
    mask = Image.new("L", above.size)
    ImageDraw.Draw(mask).ellipse((4, 4, above.width - 5, above.height - 5), fill=255)
    x, y = at[0] * image.width, at[1] * image.height
    image.paste(above, (round(x - above.width / 2), round(y - tall / 2)), mask.filter(ImageFilter.GaussianBlur(3)))
    return image, (x, y)


def _drawn(number: int, size: list[int], ground: str, colours: list[str], shape: str, at: list[float], height: float) -> Labelled:
    image = _GROUNDS[ground]((size[0], size[1]), colours[0], random.Random(number))
    x, y, radius = at[0] * size[0], at[1] * size[1], height * size[1] / 2
    _SHAPES[shape](ImageDraw.Draw(image), x, y, radius, colours[1])
    return image, (x, y)


def _varied(colour: str, by: float) -> tuple[int, ...]:
    """Lighter or darker."""
    hue, light, saturation = colorsys.rgb_to_hls(*(each / 255 for each in ImageColor.getrgb(colour)[:3]))
    return tuple(round(255 * each) for each in colorsys.hls_to_rgb(hue, min(1.0, max(0.0, light + by)), saturation))


def _plain(size: tuple[int, int], colour: str, chance: random.Random) -> Image.Image:
    return Image.new("RGB", size, colour)


def _gradient(size: tuple[int, int], colour: str, chance: random.Random) -> Image.Image:
    slope = Image.linear_gradient("L").resize(size)
    return ImageOps.colorize(slope, _varied(colour, 0.15), _varied(colour, -0.15))


def _noise(size: tuple[int, int], colour: str, chance: random.Random) -> Image.Image:
    grain = Image.frombytes("L", size, chance.randbytes(size[0] * size[1])).filter(ImageFilter.GaussianBlur(1))
    return ImageOps.colorize(ImageOps.autocontrast(grain), _varied(colour, -0.25), _varied(colour, 0.25))


def _stripes(size: tuple[int, int], colour: str, chance: random.Random) -> Image.Image:
    image = Image.new("RGB", size, colour)
    draw = ImageDraw.Draw(image)
    for left in range(-size[1], size[0], 24):
        draw.line((left, size[1], left + size[1], 0), fill=_varied(colour, -0.2), width=8)
    return image


def _checks(size: tuple[int, int], colour: str, chance: random.Random) -> Image.Image:
    image = Image.new("RGB", size, colour)
    draw = ImageDraw.Draw(image)
    for left in range(0, size[0], 40):
        for top in range(0, size[1], 40):
            if (left + top) // 40 % 2:
                draw.rectangle((left, top, left + 39, top + 39), fill=_varied(colour, -0.15))
    return image


def _dots(size: tuple[int, int], colour: str, chance: random.Random) -> Image.Image:
    image = Image.new("RGB", size, colour)
    draw = ImageDraw.Draw(image)
    for _ in range(150):
        x, y, radius = chance.uniform(0, size[0]), chance.uniform(0, size[1]), chance.uniform(3, 9)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_varied(colour, -0.2 if chance.random() < 0.5 else 0.15))
    return image


def _disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: str) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _star(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: str) -> None:
    reach = [(radius if point % 2 == 0 else 0.45 * radius, math.pi * point / 5 - math.pi / 2) for point in range(10)]
    draw.polygon([(x + each * math.cos(angle), y + each * math.sin(angle)) for each, angle in reach], fill=colour)


def _face(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: str) -> None:
    draw.ellipse((x - 0.8 * radius, y - radius, x + 0.8 * radius, y + radius), fill="#e0b090")
    draw.pieslice((x - 0.85 * radius, y - 1.1 * radius, x + 0.85 * radius, y + 0.5 * radius), 180, 360, fill=colour)
    for side in (-1, 1):
        draw.ellipse((x + (0.35 * side - 0.1) * radius, y - 0.2 * radius, x + (0.35 * side + 0.1) * radius, y), fill="#202020")
    draw.arc((x - 0.4 * radius, y + 0.1 * radius, x + 0.4 * radius, y + 0.7 * radius), 20, 160, fill="#902020", width=max(1, int(radius / 8)))


_GROUNDS: dict[str, Any] = {"plain": _plain, "gradient": _gradient, "noise": _noise, "stripes": _stripes, "checks": _checks, "dots": _dots}
_SHAPES: dict[str, Any] = {"disc": _disc, "star": _star, "face": _face}
