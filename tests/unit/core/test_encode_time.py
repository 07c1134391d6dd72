"""What an AVIF takes, and what is suggested where that is too long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from backend import errors
from backend.core import encode_time
from backend.core.conversion import Shape
from backend.core.options import Options

LIMIT_S = 60.0


def test_a_higher_speed_never_takes_longer() -> None:
    costs = [encode_time.encode_s(speed, 12_000_000) for speed in range(11)]
    assert costs == sorted(costs, reverse=True)


@pytest.mark.parametrize("speed", [4, 6, 8, 10])
def test_twelve_megapixels_pass_unseen(speed: int) -> None:
    encode_time.check([Options(format="avif", speed=speed)], Shape("jpeg", 4000, 3000), LIMIT_S)


@pytest.mark.parametrize("speed", [0, 1, 2, 3])
def test_twenty_four_megapixels_at_a_slow_speed_are_refused_unseen(speed: int) -> None:
    with pytest.raises(errors.InvalidOption) as refused:
        encode_time.check([Options(format="avif", speed=speed)], Shape("jpeg", 6000, 4000), LIMIT_S)
    assert refused.value.variant == "too_slow"


def test_frames_count_where_they_are_kept() -> None:
    moving = Shape("gif", 1000, 1000, 48)
    with pytest.raises(errors.InvalidOption):
        encode_time.check([Options(format="avif", speed=2)], moving, LIMIT_S)
    encode_time.check([Options(format="avif", speed=2, animation="first")], moving, LIMIT_S)


@given(some.floats(60.1, 1e5), some.integers(0, 10), some.integers(1, 65535))
def test_what_is_suggested_fits(cost_s: float, speed: int, width: int) -> None:
    error = encode_time.too_slow(cost_s, speed, width, LIMIT_S)
    told = error.params
    assert 1 <= told["width"] <= width
    assert cost_s * (told["width"] / width) ** 2 <= LIMIT_S or told["width"] == 1
    if error.variant == "too_slow":
        assert encode_time.at_speed(cost_s, speed, int(told["suggestion"])) <= LIMIT_S
    else:
        assert told["option"] == "width" and int(told["suggestion"]) == told["width"]
        assert encode_time.at_speed(cost_s, speed, 10) > encode_time.FIT_SHARE * LIMIT_S
