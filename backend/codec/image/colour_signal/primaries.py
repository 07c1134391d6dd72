"""Primaries as chromaticities, and their matrix to the white of ICC profiles."""

from __future__ import annotations

from typing import NamedTuple

from backend.codec.image.colour_signal.matrices import Matrix, Vector, applied, columns_of, diagonal, inverse, product

D50: Vector = (0.9642, 1.0, 0.8249)
"""ICC.1:2022 §7.2.16: the white of every profile."""
_BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
"""ICC.1:2022 annex E: how an eye that is used to one white sees another."""


class Primaries(NamedTuple):
    """x and y of each, in the order of PNG's cHRM."""

    white_x: float
    white_y: float
    red_x: float
    red_y: float
    green_x: float
    green_y: float
    blue_x: float
    blue_y: float


_C, _D65, _E, _DCI = (0.31, 0.316), (0.3127, 0.329), (1 / 3, 1 / 3), (0.314, 0.351)
BT_709 = Primaries(*_D65, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
BT_2020 = Primaries(*_D65, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046)
_SMPTE_170M = Primaries(*_D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07)
OF_CODE_POINT = {
    1: BT_709,
    4: Primaries(*_C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: Primaries(*_D65, 0.64, 0.33, 0.29, 0.6, 0.15, 0.06),
    6: _SMPTE_170M,
    7: _SMPTE_170M,
    8: Primaries(*_C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: BT_2020,
    10: Primaries(*_E, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0),
    11: Primaries(*_DCI, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    12: Primaries(*_D65, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    22: Primaries(*_D65, 0.63, 0.34, 0.295, 0.605, 0.155, 0.077),
}
"""ITU-T H.273 table 2."""


def matrix_to_d50(primaries: Primaries) -> Matrix:
    """From linear RGB to XYZ. Raises ``ZeroDivisionError`` for primaries on one line, and for a white without light."""
    white = _xyz(primaries.white_x, primaries.white_y)
    colours = columns_of(tuple(_xyz_of_sum_one(*primaries[at : at + 2]) for at in (2, 4, 6)))
    return product(_adaptation(white), product(colours, diagonal(applied(inverse(colours), white))))


def _xyz(x: float, y: float) -> Vector:
    return x / y, 1.0, (1 - x - y) / y


def _xyz_of_sum_one(x: float, y: float) -> Vector:
    return x, y, 1 - x - y


def _adaptation(white: Vector) -> Matrix:
    seen, wanted = applied(_BRADFORD, white), applied(_BRADFORD, D50)
    gains = wanted[0] / seen[0], wanted[1] / seen[1], wanted[2] / seen[2]
    return product(inverse(_BRADFORD), product(diagonal(gains), _BRADFORD))
