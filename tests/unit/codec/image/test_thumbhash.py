"""ThumbHash, byte for byte that of the reference implementation; the two only differ in what rounding leaves of nothing."""

from __future__ import annotations

import base64
import random

import numpy as np
import pytest
from PIL import Image

from backend.codec.image.thumbhash import MAX_SIDE, thumbhash
from tests.unit.codec.conftest import corpus, picture
from tests.unit.codec.image.thumbhash_reference import draw_all, hash_all

LARGE = [(7, 7), (32, 24), (24, 32), (32, 32), (100, 100), (100, 37), (11, 100)]
SMALL = [(1, 1), (2, 1), (1, 7), (3, 2), (5, 5), (32, 1), (3, 32)]
"""With fewer pixels than frequencies. Some waves are nought at every pixel."""


def hashed(image: Image.Image) -> str:
    return base64.b64encode(thumbhash(image.size, image.convert("RGBA").tobytes())).decode()


def noise(size: tuple[int, int], alpha: str, seed: int) -> Image.Image:
    """Pixels at random, which leave nothing to rounding."""
    values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
    if alpha == "opaque":
        values[..., 3] = 255
    elif alpha == "masked":
        values[..., 3] = np.where(values[..., 3] < 128, 0, 255)
    return Image.fromarray(values, "RGBA")


def are_alike(own: str, theirs: str) -> bool:
    """Equal but for coefficients that are nought: none of the sixteen steps says so, and the reference takes what rounding leaves: 7 or 8."""
    one, other = (base64.b64decode(each) for each in (own, theirs))
    pairs = [(a >> shift & 15, b >> shift & 15) for a, b in zip(one[5:], other[5:], strict=True) for shift in (0, 4)]
    return one[:5] == other[:5] and all(a == b or {a, b} == {7, 8} for a, b in pairs)


@pytest.mark.parametrize("alpha", ["opaque", "masked", "any"])
def test_it_is_the_references_for_any_pixels(alpha: str) -> None:
    shuffled = random.Random(7)
    sizes = [*LARGE, *((shuffled.randint(7, MAX_SIDE), shuffled.randint(7, MAX_SIDE)) for _ in range(20))]
    images = [noise(size, alpha, seed) for seed, size in enumerate(sizes)]
    assert [hashed(each) for each in images] == hash_all(images)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA"])
def test_it_is_the_references_for_slopes_and_edges(mode: str) -> None:
    images = [picture(*size, mode).rotate(31).resize(small) for size in ((320, 200), (90, 300)) for small in ((32, 20), (10, 32), (64, 64))]
    assert [hashed(each) for each in images] == hash_all(images)


def test_it_is_the_references_for_photographs() -> None:
    paths = corpus("photos") + corpus("graphics")
    if not paths:
        pytest.skip("no photographs here")
    images = [Image.open(path).convert("RGB").resize(size) for path in paths for size in ((32, 24), (18, 32))]
    assert [hashed(each) for each in images] == hash_all(images)


@pytest.mark.parametrize("alpha", ["opaque", "masked", "any"])
def test_a_picture_of_few_pixels_is_alike(alpha: str) -> None:
    images = [noise(size, alpha, seed) for seed, size in enumerate(SMALL)]
    assert all(map(are_alike, map(hashed, images), hash_all(images)))


def test_a_symmetric_picture_is_alike() -> None:
    images = [make("L").resize(size) for make in (Image.linear_gradient, Image.radial_gradient) for size in LARGE + SMALL]
    assert all(map(are_alike, map(hashed, images), hash_all(images)))


@pytest.mark.parametrize("colour", ["black", "white", "red", "#7d6f5a", "#0000", "#ff000080", "#01020304"])
def test_a_flat_picture_is_drawn_as_the_references(colour: str) -> None:
    """All coefficients are nought, and so is their scale: nothing of them is seen."""
    images = [Image.new("RGBA", size, colour) for size in LARGE]
    own, theirs = draw_all([hashed(each) for each in images]), draw_all(hash_all(images))
    assert [each.tobytes() for each in own] == [each.tobytes() for each in theirs]


def test_it_tells_the_shape_and_whether_there_is_alpha() -> None:
    wide, tall, clear = draw_all([hashed(each) for each in (picture(32, 16), picture(16, 32), noise((32, 32), "masked", 1))])
    assert wide.width > wide.height
    assert tall.width < tall.height
    assert clear.getchannel("A").getextrema()[0] < 255
