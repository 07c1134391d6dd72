"""libwebp's percent as share of encoding time: it is far from linear, and differs by method and kind."""

from __future__ import annotations

from collections.abc import Callable

from backend.core.options import Options

Curve = Callable[[int], float]


def of(options: Options, *, has_alpha: bool) -> Curve:
    return lambda percent: percent / 100
