"""Watching a child: what is not the image's time does not count as such."""

from __future__ import annotations

import time

import pytest

from backend import errors
from backend.codec.host.child_monitor import ChildMonitor
from backend.codec.messages import Order
from backend.core.conversion import Conversion, Converted, Made, Shape
from backend.core.limits import Limits
from backend.core.options import Options

TIMEOUT_S = 0.2
ORDER = Order(Conversion(Shape("png", 64, 48), Options(widths="32,16"), Limits(), TIMEOUT_S), {"FSIZE": 1 << 20})
MADE = Made(0, 0, Converted(100, 32, 24, 1))


def monitor() -> ChildMonitor:
    """Of a store that takes twice the time that the image has."""
    return ChildMonitor(lambda _progress: None, lambda _made: time.sleep(2 * TIMEOUT_S), lambda: False, 0.1, ORDER)


def test_a_slow_store_takes_none_of_the_time_for_the_image() -> None:
    watch = monitor()
    watch._pass_on_made(MADE)
    watch._check_stop_and_deadline()


def test_what_the_image_takes_counts() -> None:
    watch = monitor()
    watch._pass_on_made(MADE)
    time.sleep(1.5 * TIMEOUT_S)
    with pytest.raises(errors.EncodeTimeout):
        watch._check_stop_and_deadline()
