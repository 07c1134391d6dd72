"""The transform's steps: found, in order, and idle where nothing is asked of them."""

from __future__ import annotations

import pkgutil
from typing import Any

import pytest
from PIL import Image

from backend.codec.geometry import geometry_for
from backend.codec.image import steps
from backend.codec.image.orientation import UPRIGHT, orientation_for
from backend.codec.image.steps.step import OnShare, Plan, Step, Traits
from backend.core.formats import DEFAULT_OUTPUT, OUTPUT
from backend.core.options import Options
from tests.unit.codec.conftest import picture

SIZE = (320, 200)
LASTING = ["mode", "scale", "colour", "orientation", "canvas", "alpha", "layout"]
"""The steps that bring any source to what an encoder takes, in their order. Others stand between them."""


def plan(**chosen: Any) -> Plan:
    options = Options(**chosen)
    return Plan(options, OUTPUT[DEFAULT_OUTPUT], geometry_for(SIZE, options), orientation_for(options, 1))


def test_every_step_is_found_in_its_place() -> None:
    names, places = [each.name for each in steps.load()], [each.place for each in steps.load()]
    assert set(names) == {module.name for module in pkgutil.iter_modules(steps.__path__)} - {"step"}
    assert [name for name in names if name in LASTING] == LASTING
    assert places == sorted(set(places))


@pytest.mark.parametrize(
    ("mode", "chosen", "busy"),
    [
        ("RGB", {}, set()),
        ("RGBA", {}, set()),
        ("P", {}, {"mode", "layout"}),
        ("L", {}, {"layout"}),
        ("CMYK", {}, {"colour", "layout"}),
        ("RGB", {"width": 100}, {"scale"}),
        ("RGB", {"width": 100, "height": 100, "fit": "cover"}, {"scale", "canvas"}),
        ("RGB", {"width": 400, "height": 400, "fit": "contain"}, {"canvas"}),
        ("RGB", {"flip": True}, {"orientation"}),
        ("RGB", {"lossless": True, "quality": 1, "metadata": "all"}, set()),
    ],
    ids=str,
)
def test_only_the_steps_that_change_something_are_busy(mode: str, chosen: dict[str, Any], busy: set[str]) -> None:
    assert steps.busy(Traits(SIZE, mode), plan(**chosen)) == busy


def test_a_picture_that_nothing_is_to_be_done_to_comes_back_itself() -> None:
    image = picture(*SIZE)
    shares: list[float] = []
    assert steps.transform(image, plan(), shares.append) is image
    assert shares == sorted(shares)
    assert plan().orientation == UPRIGHT


def test_a_step_that_needs_every_pixel_keeps_a_picture_from_being_decoded_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    found, traits = steps.load(), Traits(SIZE, "RGB")
    assert steps.may_decode_smaller(traits, plan(width=30))

    class Early(Step):
        name, place = "early", 15

        def is_idle(self, traits: Traits, plan: Plan) -> bool:
            return not plan.options.enlarge

        def apply(self, image: Image.Image, plan: Plan, on_share: OnShare) -> Image.Image:
            return image

    monkeypatch.setattr(steps, "load", lambda: (Early(), *found))
    assert steps.may_decode_smaller(traits, plan(width=30))
    assert not steps.may_decode_smaller(traits, plan(width=30, enlarge=True))
