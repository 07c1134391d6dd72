"""Transfer characteristics as ICC's parametric curves, from sample to light."""

from __future__ import annotations

from typing import NamedTuple


class Curve(NamedTuple):
    """ICC.1:2022 §10.18, function type 4: ``(a x + b) ** g + e`` from ``d`` on, ``c x + f`` below."""

    g: float
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    e: float = 0.0
    f: float = 0.0


SRGB = Curve(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
BT_1886 = Curve(2.4)
SMPTE_240M = Curve(1 / 0.45, 1 / 1.111572195921731, 0.111572195921731 / 1.111572195921731, 1 / 4.0, 4.0 * 0.022821585529445)
SMPTE_428 = Curve(2.6, (52.37 / 48.0) ** (1 / 2.6))
PQ, HLG = 16, 18
OF_CODE_POINT = {
    1: BT_1886,
    4: Curve(2.2),
    5: Curve(2.8),
    6: BT_1886,
    7: SMPTE_240M,
    8: Curve(1.0),
    11: BT_1886,
    13: SRGB,
    14: BT_1886,
    15: BT_1886,
    17: SMPTE_428,
}
"""ITU-T H.273 table 3. For the cameras' curves of television, what the display does (ITU-R BT.1886).

PQ and HLG are missing, which no curve for one channel alone can bring to SDR; and 9, 10 and 12, which browsers do not know.
"""
