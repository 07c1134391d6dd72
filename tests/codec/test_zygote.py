"""What a zygote has its children prepare for."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from backend.codec.encoders import still
from backend.codec.image import pipeline
from backend.codec.sandbox import child
from backend.core.conversion import Conversion, Shape
from backend.core.limits import Limits
from backend.core.options import Options


def conversion(image_format: str = "jpeg", width: int = 960, height: int = 640, **chosen: Any) -> Conversion:
    return Conversion(Shape(image_format, width, height, 1), Options(**chosen), Limits(), 60.0)


@pytest.mark.parametrize(
    ("given", "touched_bytes", "goes_straight"),
    [
        (conversion(), 960 * 640 * child.HEAP_BYTES_A_PIXEL, True),
        (conversion(width=16, height=16), 16 * 16 * child.HEAP_BYTES_A_PIXEL, True),
        (conversion(width=6000, height=4000), child.MOST_TOUCHED_BYTES, True),
        (conversion(width=600, height=400, lossless=True), 600 * 400 * child.LOSSLESS_HEAP_BYTES_A_PIXEL, False),
        (conversion(sharp_yuv=True), 960 * 640 * child.HEAP_BYTES_A_PIXEL, False),
        (conversion(quality="auto"), 960 * 640 * child.HEAP_BYTES_A_PIXEL, False),
        (Conversion(Shape("jpeg", 960, 640, 1), Options(width=100), Limits(), 60.0), 960 * 640 * child.HEAP_BYTES_A_PIXEL, False),
        (Conversion(Shape("jpeg", 960, 640, 1), Options(height=100), Limits(), 60.0), 960 * 640 * child.HEAP_BYTES_A_PIXEL, False),
        (conversion("png"), 960 * 640 * child.HEAP_BYTES_A_PIXEL, False),
    ],
)
def test_a_child_prepares_for_another_image_like_the_last(given: Conversion, touched_bytes: int, goes_straight: bool) -> None:
    assert child.Kind.of(given) == child.Kind(touched_bytes, goes_straight)


@pytest.mark.parametrize("goes_straight", [True, False])
def test_a_rehearsal_takes_the_way_that_comes(goes_straight: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []

    def noted(way: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def noting(*given: Any, **named: Any) -> Any:
            taken.append(way)
            return call(*given, **named)

        return noting

    monkeypatch.setattr(still, "picture_of", noted("longer", still.picture_of))
    monkeypatch.setattr(pipeline, "_straight", noted("straight", pipeline._straight))
    before = len(os.listdir("/proc/self/fd"))
    child.rehearse(child.Kind(goes_straight=goes_straight))
    assert taken == (["straight"] if goes_straight else ["straight", "longer"])
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_rehearsal_needs_no_memory_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create")
    child.rehearse(child.Kind())
