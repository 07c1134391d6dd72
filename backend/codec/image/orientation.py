"""The eight ways to turn and mirror a rectangle, composed by arithmetic and applied once.

A turn is a signed permutation matrix ``(a, b, c, d)``: a pixel's offset from the centre, x to the right and y down, goes from (x, y) to
(ax + by, cx + dy). Order follows sharp: orientation, then flip and flop, then rotate.
"""

from __future__ import annotations

from PIL import Image

from backend.core.options import Options

Turn = tuple[int, int, int, int]

UPRIGHT: Turn = (1, 0, 0, 1)
_FLIP: Turn = (1, 0, 0, -1)
_FLOP: Turn = (-1, 0, 0, 1)
_CLOCKWISE: Turn = (0, -1, 1, 0)

ORIENTATIONS: dict[int, Turn] = {
    1: UPRIGHT,
    2: _FLOP,
    3: (-1, 0, 0, -1),
    4: _FLIP,
    5: (0, 1, 1, 0),
    6: _CLOCKWISE,
    7: (0, -1, -1, 0),
    8: (0, 1, -1, 0),
}
"""EXIF 2.32 §4.6.4, tag 0x0112: what brings the stored rows upright."""

_METHODS: dict[Turn, Image.Transpose] = {
    _FLOP: Image.Transpose.FLIP_LEFT_RIGHT,
    (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
    _FLIP: Image.Transpose.FLIP_TOP_BOTTOM,
    (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
    _CLOCKWISE: Image.Transpose.ROTATE_270,
    (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
    (0, 1, -1, 0): Image.Transpose.ROTATE_90,
}


def turn_for(options: Options, orientation: int, applied: int = 1) -> Turn:
    """From the rows as decoded to what the options ask for. ``applied``: the orientation that the decoder carried out by itself."""
    turn = ORIENTATIONS.get(orientation, UPRIGHT) if options.auto_orient else back(ORIENTATIONS.get(applied, UPRIGHT))
    if options.flip:
        turn = then(turn, _FLIP)
    if options.flop:
        turn = then(turn, _FLOP)
    for _ in range(options.rotate // 90):
        turn = then(turn, _CLOCKWISE)
    return turn


def then(first: Turn, second: Turn) -> Turn:
    a, b, c, d = first
    e, f, g, h = second
    return e * a + f * c, e * b + f * d, g * a + h * c, g * b + h * d


def back(turn: Turn) -> Turn:
    """What undoes it: the matrix is orthogonal, so its transpose."""
    a, b, c, d = turn
    return a, c, b, d


def swaps_sides(turn: Turn) -> bool:
    return turn[0] == 0


def turned(image: Image.Image, turn: Turn) -> Image.Image:
    return image if turn == UPRIGHT else image.transpose(_METHODS[turn])
