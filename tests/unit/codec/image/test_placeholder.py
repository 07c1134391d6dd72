"""The placeholder of every kind of result, beside what others make of the result's own pixels.

The reference implementation hashes them reduced to 100 pixels, numpy takes their mean in linear light. Pillow reads the result.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from backend.codec.image import placeholder
from backend.core.facts import are_facts
from backend.core.limits import Limits
from tests.support import drawn
from tests.unit.codec.conftest import Convert, Outcome, corpus, picture, saved
from tests.unit.codec.image import test_originals
from tests.unit.codec.image.thumbhash_reference import draw_all, hash_all

STEPS = 2
"""Of 255, that a colour may differ by: the result is lossy, and of a large picture some pixels are looked at."""
SEEN = 4.0
"""Levels of 255, on average: how much further from the picture a drawn hash may be than the one that the reference makes of 100 pixels. Its own
hashes of 64 to 99 pixels differ by as much: some of their numbers fall on the next of sixteen steps."""


def first_frame(result: bytes) -> Image.Image:
    with Image.open(io.BytesIO(result)) as image:
        return image.convert("RGBA")


def mean_colour(image: Image.Image) -> np.ndarray:
    """In linear light (IEC 61966-2-1), weighted by alpha."""
    values = np.asarray(image.convert("RGBA"), dtype=np.float64) / 255
    colours, alpha = values[..., :3], values[..., 3:]
    light = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    mean = (light * alpha).sum((0, 1)) / alpha.sum()
    return 255 * np.where(mean <= 0.0031308, 12.92 * mean, 1.055 * mean ** (1 / 2.4) - 0.055)


def colour_of(facts: dict[str, Any]) -> np.ndarray:
    return np.array([int(facts["color"][at : at + 2], 16) for at in (1, 3, 5)])


def small(image: Image.Image) -> Image.Image:
    copy = image.copy()
    copy.thumbnail((100, 100), Image.Resampling.BOX)
    return copy


def on_grey(image: Image.Image) -> np.ndarray:
    return np.asarray(Image.alpha_composite(Image.new("RGBA", image.size, "grey"), image).convert("RGB"), dtype=np.float64)


def distance(drawn_hash: Image.Image, shown: Image.Image) -> float:
    return float(np.abs(on_grey(drawn_hash) - on_grey(shown.resize(drawn_hash.size, Image.Resampling.BOX))).mean())


def check(facts: dict[str, Any], shown: Image.Image) -> None:
    assert are_facts(facts)
    assert np.abs(colour_of(facts) - mean_colour(shown)).max() <= STEPS
    own, theirs = draw_all([facts["thumbhash"], *hash_all([small(shown)])])
    assert np.abs(np.subtract(own.size, theirs.size)).max() <= 1
    assert distance(own, shown) <= distance(theirs, shown) + SEEN


def checked(outcome: Outcome) -> Outcome:
    check(outcome.converted.facts, first_frame(outcome.data))
    return outcome


@pytest.mark.parametrize("output", ["webp", "avif", "jpeg", "png"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA"])
@pytest.mark.parametrize("size", [(480, 320), (90, 130)])
def test_a_result_of_every_format_has_its_own(convert: Convert, output: str, mode: str, size: tuple[int, int]) -> None:
    checked(convert(saved(picture(*size, mode), "PNG"), format=output, quality=90))


SCENES: dict[str, Callable[[tuple[int, int]], Image.Image]] = drawn.DRAWN | drawn.MIXED | drawn.PHOTOGRAPHED


@pytest.mark.parametrize("name", SCENES)
def test_a_drawn_or_photographed_scene_has_its_own(convert: Convert, name: str) -> None:
    """A drawing without loss: libwebp's lossy colours are off by three steps at its thin lines."""
    is_drawn = name in drawn.DRAWN
    checked(convert(saved(SCENES[name]((640, 400)).convert("RGB"), "PNG" if is_drawn else "JPEG"), method=0, lossless=is_drawn))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_on_the_fast_path_has_it_upright(convert: Convert, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    source = drawn.painted((480, 300))
    ImageDraw.Draw(source).rectangle((0, 0, 150, 120), fill="yellow")
    checked(convert(saved(source, "JPEG", quality=90, exif=exif)))


COVER = {"width": 200, "height": 200, "fit": "cover"}
CHANGES: list[dict[str, Any]] = [{"width": 300}, COVER, {"rotate": 90}, {"quality": "auto"}, {"lossless": "auto"}]


@pytest.mark.parametrize("options", CHANGES, ids=str)
def test_it_shows_what_the_options_made(convert: Convert, options: dict[str, Any]) -> None:
    checked(convert(saved(drawn.painted((480, 300)), "JPEG", quality=90), **options))
    checked(convert(saved(drawn.chart((480, 300)), "PNG"), **options))


@pytest.mark.parametrize("image_format", ["GIF", "PNG", "WEBP"])
@pytest.mark.parametrize("options", [{}, {"format": "avif"}, {"animation": "first"}, {"format": "jpeg"}, {"target_bytes": 4000}], ids=str)
def test_an_animation_has_that_of_its_first_frame(convert: Convert, image_format: str, options: dict[str, Any]) -> None:
    frames = [picture(200, 120), *(Image.new("RGB", (200, 120), colour) for colour in ("red", "blue"))]
    source = saved(frames[0], image_format, save_all=True, append_images=frames[1:], duration=100, lossless=True)
    checked(convert(source, **options))


@pytest.mark.parametrize("name", test_originals.PLAIN)
def test_an_original_that_is_given_has_its_own(convert: Convert, name: str) -> None:
    outcome = checked(convert(test_originals.PLAIN[name], **test_originals.LARGE, never_larger=True))
    assert outcome.converted.facts["original"] is True


def test_a_transparent_picture_has_the_colour_of_what_is_seen(convert: Convert) -> None:
    source = Image.new("RGBA", (640, 400), (0, 255, 0, 0))
    ImageDraw.Draw(source).ellipse((200, 100, 400, 300), fill=(200, 30, 30, 255))
    assert np.abs(colour_of(checked(convert(saved(source, "PNG"), lossless=True)).converted.facts) - (200, 30, 30)).max() <= 1


def test_a_picture_without_anything_is_white(convert: Convert) -> None:
    assert convert(saved(Image.new("RGBA", (40, 30)), "PNG"), lossless=True).converted.facts["color"] == "#ffffff"


@pytest.mark.parametrize("period", [2, 5, 8, 21, 28])
@pytest.mark.parametrize("size", [(1366, 768), (257, 513), (9000, 2)])
def test_a_regular_pattern_is_not_met_at_the_same_place(size: tuple[int, int], period: int) -> None:
    """A table's lines, a few pixels apart: samples at even distances would see all of them, or none."""
    image = Image.new("RGB", size, "white")
    lines = ImageDraw.Draw(image)
    for at in range(0, size[0], period):
        lines.line((at, 0, at, size[1]), fill="#205080")
    for at in range(0, size[1], period):
        lines.line((0, at, size[0], at), fill="#205080")
    assert np.abs(colour_of(placeholder.of_image(image)) - mean_colour(image)).max() <= STEPS


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 3), (33, 33), (255, 257), (1, 5000), (5000, 1), (16383, 3)])
def test_every_size_has_one(size: tuple[int, int]) -> None:
    for mode in ("RGB", "RGBA", "LA"):
        image = Image.effect_noise(size, 100).convert(mode)
        facts = placeholder.of_image(image)
        assert are_facts(facts)
        assert np.abs(colour_of(facts) - mean_colour(image)).max() <= STEPS


@pytest.mark.parametrize("path", corpus("photos") + corpus("graphics") + corpus("colour"), ids=lambda path: path.name)
def test_a_real_picture_has_its_own(convert: Convert, path: Any) -> None:
    checked(convert(path, Limits(pixels=200_000_000), method=0, width=640, lossless=path.parent.name == "graphics"))
