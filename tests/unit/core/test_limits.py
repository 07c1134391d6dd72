"""The operator's bounds: just at them and just above."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import errors
from backend.core.limits import Limits

LIMITS = Limits(upload_bytes=1000, pixels=10_000, frames=10)


def test_the_defaults_are_the_contracts() -> None:
    assert Limits() == Limits(upload_bytes=64 * 1024 * 1024, pixels=50_000_000, frames=256)


def test_so_many_bytes_are_taken_and_one_more_is_refused() -> None:
    LIMITS.check_bytes(1000)
    with pytest.raises(errors.TooLarge) as raised:
        LIMITS.check_bytes(1001)
    assert raised.value.params == {"limit_bytes": 1000}


def test_pixels_are_counted_over_all_frames() -> None:
    LIMITS.check_pixels(100, 100)
    LIMITS.check_pixels(50, 20, 10)
    with pytest.raises(errors.TooManyPixels) as raised:
        LIMITS.check_pixels(73, 137)
    assert raised.value.params == {"width": 73, "height": 137, "frames": 1, "pixels": 10_001, "limit": 10_000}
    with pytest.raises(errors.TooManyPixels):
        LIMITS.check_pixels(51, 20, 10)


def test_frames_have_a_limit_of_their_own_and_are_named_first() -> None:
    LIMITS.check_pixels(1, 1, 10)
    with pytest.raises(errors.TooManyFrames) as raised:
        LIMITS.check_pixels(5000, 5000, 11)
    assert raised.value.params == {"limit": 10}


@given(st.integers(1, 200), st.integers(1, 200), st.integers(1, 20))
def test_an_image_is_refused_exactly_when_it_is_over_a_limit(width: int, height: int, frames: int) -> None:
    over = frames > 10 or width * height * frames > 10_000
    try:
        LIMITS.check_pixels(width, height, frames)
    except (errors.TooManyPixels, errors.TooManyFrames):
        assert over
    else:
        assert not over
