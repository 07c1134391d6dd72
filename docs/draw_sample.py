"""Draws ``docs/images/sample.jpg``: mountains over a lake at sunrise, made by this program alone, so that nobody else has rights in it.

    tests/.venv/bin/python docs/draw_sample.py

It is what the examples of README convert. Fine grain and soft slopes make it compress like a photograph.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

TARGET = Path(__file__).parent / "images" / "sample.jpg"
WIDTH, HEIGHT, HORIZON = 1600, 1067, 690
JPEG_QUALITY = 88
SKY = ((24, 44, 92), (92, 96, 150), (226, 132, 128), (255, 196, 138), (255, 232, 188))
RANGES = (  # highest point, roughness, colour: from the farthest to the nearest
    (300, 0.55, (150, 118, 146)),
    (400, 0.62, (104, 84, 124)),
    (505, 0.66, (62, 56, 96)),
    (600, 0.72, (26, 32, 60)),
)
SUN_X, SUN_Y, SUN_RADIUS = 664, 424, 58
GRAIN = 3.0
Plane = NDArray[np.float64]


def main() -> None:
    random = np.random.default_rng(21)
    picture = sky()
    for top, roughness, colour in RANGES:
        picture = with_mountains(picture, ridge(random, top, roughness), colour)
    picture[HORIZON:] = lake(picture, random)
    picture += random.normal(0, GRAIN, picture.shape[:2])[..., None]
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(TARGET, quality=JPEG_QUALITY, optimize=True, progressive=True)


def sky() -> Plane:
    """From night above to morning below, with a sun in its glow."""
    places = np.linspace(0, HORIZON, len(SKY))
    rows = np.stack([np.interp(np.arange(HEIGHT), places, [colour[band] for colour in SKY]) for band in range(3)], axis=-1)
    picture = np.repeat(rows[:, None, :], WIDTH, axis=1)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    distance = np.hypot(x - SUN_X, y - SUN_Y)
    glow = 0.55 * np.exp(-distance / 240)[..., None]
    disc = np.clip(SUN_RADIUS - distance + 0.5, 0, 1)[..., None]
    light = picture * (1 - glow) + glow * np.array((255, 226, 170))
    return light * (1 - disc) + disc * np.array((255, 248, 226))


def ridge(random: np.random.Generator, top: int, roughness: float) -> Plane:
    """The height of a mountain range in each column: midpoint displacement, which is what makes a coast or a ridge look natural."""
    line = random.uniform(0, 1, 2)
    step = 0.5
    while len(line) < WIDTH:
        middle = (line[1:] + line[:-1]) / 2 + random.uniform(-step, step, len(line) - 1)
        line = np.insert(middle, np.arange(len(middle)), line[:-1])
        line = np.append(line, random.uniform(0, 1) if len(line) < 3 else line[-1])
        step *= roughness
    line = np.interp(np.linspace(0, len(line) - 1, WIDTH), np.arange(len(line)), line)
    line = (line - line.min()) / (line.max() - line.min())
    return top + (1 - line) * 0.8 * (HORIZON - top)


def with_mountains(picture: Plane, line: Plane, colour: tuple[int, int, int]) -> Plane:
    """Mist lies at their feet."""
    y = np.arange(HEIGHT)[:, None]
    cover = np.clip(y - line[None, :] + 0.5, 0, 1)[..., None]
    mist = np.clip((y - line[None, :]) / (HORIZON - line[None, :] + 1), 0, 1)[..., None] ** 1.6
    shade = np.array(colour) * (1 - 0.55 * mist) + 0.55 * mist * np.array((236, 176, 160))
    return picture * (1 - cover) + cover * shade


def lake(picture: Plane, random: np.random.Generator) -> Plane:
    """The picture above the horizon, turned over, darker, and pulled about by waves that grow towards the shore."""
    rows = HEIGHT - HORIZON
    depth = np.arange(rows)[:, None]
    x = np.arange(WIDTH)[None, :]
    phases = random.uniform(0, 2 * np.pi, 6)
    waves = sum(np.sin(depth / (2.2 + 1.3 * n + depth / 60) + x / (70 + 45 * n) + phases[n]) for n in range(6))
    pulled = (1.0 + depth / 60) * waves
    up = np.clip(HORIZON - 1 - depth * 1.25 - pulled, 0, HORIZON - 1).astype(int)
    side = np.clip(x + 1.4 * pulled, 0, WIDTH - 1).astype(int)
    dark = 0.86 - 0.42 * (depth / rows)[..., None]
    return picture[up, side] * dark + np.array((10, 18, 34)) * (1 - dark)


if __name__ == "__main__":
    main()
