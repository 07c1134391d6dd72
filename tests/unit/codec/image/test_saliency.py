"""``gravity=attention`` keeps the subject: fifty labelled pictures, and libvips' ``attention`` over the same."""

from __future__ import annotations

import pytest
import pyvips
from PIL import Image

from backend.codec.geometry import Geometry
from backend.codec.image import saliency
from tests.unit.codec.image.subjects import ROWS, Labelled, labelled
from tests.unit.codec.image.test_cropping import vips_of


@pytest.fixture(scope="module")
def pictures() -> list[Labelled]:
    return list(labelled())


def ours(image: Image.Image, gravity: str) -> tuple[int, int]:
    side = min(image.size)
    geometry = saliency.placed(image, Geometry(image.size, (side, side)), gravity)
    return -geometry.left, -geometry.top


def libvips(image: Image.Image, gravity: str) -> tuple[int, int]:
    side = min(image.size)
    kept: pyvips.Image = vips_of(image).smartcrop(side, side, interesting=gravity)
    return -kept.xoffset, -kept.yoffset


def centre(image: Image.Image, _gravity: str) -> tuple[int, int]:
    side = min(image.size)
    return (image.width - side) // 2, (image.height - side) // 2


def hits(pictures: list[Labelled], place: object, gravity: str) -> int:
    """In how many the centre of the subject lies in the kept square."""
    assert callable(place)
    count = 0
    for image, (x, y) in pictures:
        left, top = place(image, gravity)
        count += left <= x < left + min(image.size) and top <= y < top + min(image.size)
    return count


def test_there_are_fifty_labels() -> None:
    assert sum(map(len, ROWS.values())) == 50


def test_attention_keeps_the_subject_at_least_as_often_as_libvips(pictures: list[Labelled]) -> None:
    kept = hits(pictures, ours, "attention")
    assert kept >= hits(pictures, libvips, "attention")
    assert kept >= 0.95 * len(pictures)


def test_entropy_keeps_the_subject_far_more_often_than_the_middle_does(pictures: list[Labelled]) -> None:
    assert hits(pictures, ours, "entropy") >= hits(pictures, libvips, "entropy") > hits(pictures, centre, "") + 5


def test_a_picture_that_nothing_stands_out_of_is_cut_in_the_middle() -> None:
    for gravity in ("attention", "entropy"):
        left, top = ours(Image.new("RGB", (301, 100), "grey"), gravity)
        assert (abs(left - 100) <= 2, top) == (True, 0)


def test_what_is_transparent_draws_nobody() -> None:
    image = Image.new("RGBA", (300, 100), (255, 0, 0, 0))
    image.paste((200, 30, 30, 0), (0, 0, 90, 100))
    image.paste((30, 30, 200, 255), (240, 30, 280, 70))
    for gravity in ("attention", "entropy"):
        assert ours(image, gravity)[0] >= 180
