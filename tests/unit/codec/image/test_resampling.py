"""The vector resampler beside Pillow's own Lanczos, which is the judge here."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.codec.geometry import Box, Size
from backend.codec.image import resampling
from tests.unit.codec.conftest import corpus, picture
from tests.unit.codec.image.test_transform import structure

needs_fast = pytest.mark.skipif(resampling.fast is None, reason="the package has no wheel for this machine")
MODES = {"L": (7,), "RGB": (200, 3, 91), "RGBA": (12, 250, 77, 255), "CMYK": (255, 0, 13, 128), "LA": (90, 255)}


def judged(image: Image.Image, size: Size, box: Box | None = None) -> Image.Image:
    return image.resize(size, Image.Resampling.LANCZOS, box)


def levels_apart(one: Image.Image, other: Image.Image) -> np.ndarray:
    assert (one.mode, one.size) == (other.mode, other.size)
    return np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16))


@needs_fast
@pytest.mark.parametrize("path", corpus("photos"), ids=lambda path: path.name)
@pytest.mark.parametrize("width", [40, 700, 1600])
def test_a_photograph_looks_as_pillow_scales_it(path: Path, width: int) -> None:
    with Image.open(path) as image:
        image.draft("RGB", (1500, 1500))
        whole = image.convert("RGB")
    size = width, round(whole.height * width / whole.width)
    found, expected = resampling.resized(whole, size), judged(whole, size)
    apart = levels_apart(found, expected)
    assert np.percentile(apart, 99.9) <= 3
    assert apart.mean() < 0.3
    assert structure(found, expected) >= 0.998


@pytest.mark.parametrize("mode", MODES)
def test_one_colour_stays_that_colour_at_every_size(mode: str) -> None:
    sizes = random.Random(5)
    for _ in range(40):
        before, after = ((sizes.randint(1, 900), sizes.randint(1, 300)) for _ in range(2))
        found = resampling.resized(Image.new(mode, before, MODES[mode]), after)
        assert found.getcolors() == [(after[0] * after[1], MODES[mode] if len(MODES[mode]) > 1 else MODES[mode][0])], (before, after)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_scaled_in_its_mode(mode: str) -> None:
    soft = picture(300, 200).convert(mode) if mode != "LA" else picture(300, 200).convert("L").convert("LA")
    assert levels_apart(resampling.resized(soft, (91, 55)), judged(soft, (91, 55))).mean() < 0.3


def test_a_part_is_taken_to_the_fraction_of_a_pixel() -> None:
    """A ramp tells where each pixel comes from: a quarter of a pixel is a level and a half."""
    ramp = Image.fromarray(np.tile(np.linspace(0, 255, 43, dtype=np.uint8), (30, 1))).convert("RGB")
    box = 10.25, 2.5, 30.75, 20.5
    found = resampling.resized(ramp, (41, 18), box)
    assert levels_apart(found, judged(ramp, (41, 18), box)).max() <= 1
    assert levels_apart(found, judged(ramp, (41, 18), (10, 2, 31, 20))).max() > 1


def test_colours_that_nobody_sees_do_not_bleed() -> None:
    """Clear green beside opaque red: at the edge there is red alone, half as opaque."""
    image = Image.new("RGBA", (64, 64), (0, 255, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 31, 64))
    found = np.asarray(resampling.resized(image, (16, 16)))
    seen = found[found[..., 3] > 8]
    assert seen[:, 1].max() <= 2
    assert seen[:, 0].min() >= 250


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 2)])
def test_a_picture_of_one_pixel_or_line_is_scaled(size: Size) -> None:
    for before in ((1, 1), (1, 400), (400, 1), (257, 3)):
        source = picture(*before) if min(before) > 1 else Image.new("RGB", before, (9, 99, 199))
        assert levels_apart(resampling.resized(source, size), judged(source, size)).mean() < 1.5


def test_without_the_package_pillow_scales(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "_RESIZER", None)
    assert resampling.resized(picture(), (77, 33)).tobytes() == judged(picture(), (77, 33)).tobytes()


@needs_fast
def test_it_starts_no_thread_which_a_sealed_child_could_not() -> None:
    before = len(list(Path("/proc/self/task").iterdir()))
    resampling.resized(picture(3000, 2000), (1600, 1066))
    assert len(list(Path("/proc/self/task").iterdir())) == before
