"""The pictures that are measured: those of ``BENCH_PICTURES``, a folder of JPEG photographs, or ones that are made once under ``var/bench/pictures``.

    python -m bench.kit.pictures        makes photographs, graphics and animations there, and says their folders

Made ones are the same on every machine: noise at scales from four pixels to a thousand, with most of its strength in the large ones, as photographs
have it. So figures can be repeated without anybody's photographs; speed beside other services is better told by one's own.
"""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw

from bench.kit.servers import ROOT

MADE = ROOT / "var" / "bench" / "pictures"
PHOTOGRAPHS = {"0.6mp": (960, 640), "2mp": (1800, 1200), "6mp": (3000, 2000), "10mp": (3872, 2592), "12mp": (4240, 2832), "24mp": (6000, 4000)}
GRAPHICS = {"1.9mp": (1600, 1200), "3.4mp": (2200, 1550)}
ANIMATIONS = {"24_frames": (480, 320)}
SCALES = ((1024, 1.0), (256, 0.5), (64, 0.35), (16, 0.2), (4, 0.12))
"""Side of a grain in pixels, and its share of what is there already."""


def photograph(size: tuple[int, int], seed: int = 1) -> Image.Image:
    dice, picture = random.Random(seed), Image.new("RGB", size, "grey")
    for side, share in SCALES:
        grains = (size[0] // side + 3, size[1] // side + 3)
        layer = Image.frombytes("RGB", grains, dice.randbytes(grains[0] * grains[1] * 3)).resize(size, Image.Resampling.BICUBIC)
        picture = Image.blend(picture, layer, share)
    return picture


def graphic(size: tuple[int, int], seed: int = 2) -> Image.Image:
    """Flat shapes and lines on a transparent ground."""
    dice, picture = random.Random(seed), Image.new("RGBA", size)
    draw = ImageDraw.Draw(picture)
    for number in range(60):
        colour = (*dice.randbytes(3), dice.choice((128, 255)))
        x, y, side = dice.randrange(size[0]), dice.randrange(size[1]), dice.randrange(20, 300)
        (draw.ellipse, draw.rectangle)[number % 2]((x, y, x + side, y + side // 2), fill=colour, outline="black")
        draw.text((x, y), f"picture {number}", fill="black")
    return picture


def _save_photograph(path: Path, size: tuple[int, int]) -> None:
    photograph(size).save(path, "JPEG", quality=88)


def _save_graphic(path: Path, size: tuple[int, int]) -> None:
    graphic(size).save(path, "PNG")


def _save_animation(path: Path, size: tuple[int, int]) -> None:
    """A disc that moves over a photograph."""
    ground, frames = photograph(size).quantize(64).convert("RGB"), []
    step, side = size[0] // 30, size[1] // 4
    for number in range(24):
        frame = ground.copy()
        ImageDraw.Draw(frame).ellipse((number * step, side, number * step + side, 2 * side), fill="orange")
        frames.append(frame.quantize(64))
    frames[0].save(path, "GIF", save_all=True, append_images=frames[1:], duration=80, loop=0)


Save = Callable[[Path, tuple[int, int]], None]
KINDS: dict[str, tuple[str, dict[str, tuple[int, int]], Save]] = {
    "photos": ("jpg", PHOTOGRAPHS, _save_photograph),
    "graphics": ("png", GRAPHICS, _save_graphic),
    "animated": ("gif", ANIMATIONS, _save_animation),
}


def make(kind: str) -> Path:
    """The folder of a kind. What is there already is left; a file appears whole or not at all."""
    extension, sizes, save = KINDS[kind]
    folder = MADE / kind
    folder.mkdir(parents=True, exist_ok=True)
    for name, size in sizes.items():
        path = folder / f"{name}.{extension}"
        if not path.exists():
            draft = path.with_suffix(".new")
            save(draft, size)
            draft.replace(path)
    return folder


@cache
def folder() -> Path:
    """Where the photographs are. Raises ``SystemExit`` where the given folder has none."""
    given = os.environ.get("BENCH_PICTURES")
    if not given:
        return make("photos")
    found = Path(given).resolve()
    if not any(found.glob("*.jpg")):
        raise SystemExit(f"BENCH_PICTURES: there are no *.jpg in {found}")
    return found


@cache
def photographs() -> tuple[Path, ...]:
    return tuple(sorted(folder().glob("*.jpg")))


@cache
def nearest(megapixels: float) -> Path:
    """The photograph whose size is nearest, by ratio."""
    return min(photographs(), key=lambda path: abs(math.log(_megapixels(path) / megapixels)))


def _megapixels(path: Path) -> float:
    with Image.open(path) as image:
        return image.width * image.height / 1e6


if __name__ == "__main__":
    for each in KINDS:
        print(make(each))
