"""A child prepares for another image like the last one."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from backend.codec.encoders.webp import bitstream
from backend.codec.image import jpeg_fast_path, resampling
from backend.codec.sandbox import warm_up
from backend.codec.sandbox.warm_up import WarmUp
from backend.core.conversion import Conversion, Shape
from backend.core.limits import Limits
from backend.core.options import Options


def conversion(image_format: str = "jpeg", width: int = 960, height: int = 640, **chosen: Any) -> Conversion:
    return Conversion(Shape(image_format, width, height, 1), Options(**chosen), Limits(), 60.0)


@pytest.mark.parametrize(
    ("given", "touched_bytes", "takes_fast_path"),
    [
        (conversion(), 960 * 640 * warm_up.HEAP_BYTES_A_PIXEL, True),
        (conversion(width=16, height=16), 16 * 16 * warm_up.HEAP_BYTES_A_PIXEL, True),
        (conversion(width=6000, height=4000), warm_up.MAX_TOUCHED_BYTES, True),
        (conversion(width=600, height=400, lossless=True), 600 * 400 * warm_up.LOSSLESS_HEAP_BYTES_A_PIXEL, False),
        (conversion(sharp_yuv=True), 960 * 640 * warm_up.HEAP_BYTES_A_PIXEL, False),
        (conversion(quality="auto"), 960 * 640 * warm_up.HEAP_BYTES_A_PIXEL, False),
        (Conversion(Shape("jpeg", 960, 640, 1), Options(width=100), Limits(), 60.0), 960 * 640 * warm_up.HEAP_BYTES_A_PIXEL, resampling.FAST),
        (Conversion(Shape("jpeg", 960, 640, 1), Options(height=100), Limits(), 60.0), 960 * 640 * warm_up.HEAP_BYTES_A_PIXEL, resampling.FAST),
        (conversion("png"), 960 * 640 * warm_up.HEAP_BYTES_A_PIXEL, False),
    ],
)
def test_a_child_prepares_for_another_image_like_the_last(given: Conversion, touched_bytes: int, takes_fast_path: bool) -> None:
    assert WarmUp.like(given) == WarmUp(touched_bytes, takes_fast_path)


@pytest.mark.parametrize("takes_fast_path", [True, False])
def test_a_warm_up_takes_the_path_that_comes(takes_fast_path: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []

    def noted(path: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def noting(*given: Any, **named: Any) -> Any:
            taken.append(path)
            return call(*given, **named)

        return noting

    monkeypatch.setattr(bitstream, "import_picture", noted("normal", bitstream.import_picture))
    monkeypatch.setattr(jpeg_fast_path, "read_into", noted("fast", jpeg_fast_path.read_into))
    before = len(os.listdir("/proc/self/fd"))
    WarmUp(1 << 20, takes_fast_path=takes_fast_path).run()
    assert taken == (["fast"] if takes_fast_path else ["fast", "normal"])
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_warm_up_needs_no_memory_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create")
    WarmUp(1 << 20).run()
